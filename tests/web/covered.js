// What is said of each visible control that something else lies over at its middle, or that is wider than the page.
() => {
  const controls = [...document.querySelectorAll("button, a[href], input, select, summary, [tabindex='0']")];
  const wrong = [];
  for (const control of controls) {
    if (!control.checkVisibility({ visibilityProperty: true, opacityProperty: true }) || control.closest(".skip")) continue;
    control.scrollIntoView({ block: "center", inline: "nearest" });
    const { left, right, top, bottom, width, height } = control.getBoundingClientRect();
    const name = `${control.tagName.toLowerCase()} ${control.getAttribute("aria-label") || control.title || control.textContent || control.className}`.slice(0, 60);
    if (!width || !height) continue;
    if (left < -1 || right > innerWidth + 1) wrong.push(`${name}: wider than the page`);
    const at = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    if (!at || !(control.contains(at) || at.closest("label")?.contains(control))) wrong.push(`${name}: ${at ? `under ${at.className || at.tagName}` : "out of sight"}`);
  }
  scrollTo(0, 0);
  return wrong;
}
