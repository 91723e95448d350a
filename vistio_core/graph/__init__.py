"""The traffic graph: its values (`model`) and how they are made from facts (`build`)."""
