"""Makes the pictures of README.md and docs from screenshots that the tests took: few colours, few bytes.

``nox -s screenshots`` runs it after the tests: ``python tests/web/docs_images.py``.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "artifacts" / "screenshots"
IMAGES = ROOT / "docs" / "images"
NAMES = ("past-cluster", "comparing", "big-mesh-groups", "light-cluster", "heat-map")
COLOURS = 128


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    for name in NAMES:
        with Image.open(SCREENSHOTS / f"{name}.png") as picture:
            small = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        path = IMAGES / f"{name}.png"
        small.save(path, optimize=True)
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:,.0f} kB")


if __name__ == "__main__":
    main()
