"""Sphinx configuration: `make docs` builds the pages into docs/_build/html, which open without a network."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import spacy_datnet

project = "spacy-datnet"
author = "The spacy-datnet authors"
project_copyright = "2026, the spacy-datnet authors"
release = version = spacy_datnet.__version__

extensions = ["myst_parser", "written_reference"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
smartquotes = False  # options begin with two hyphens
exclude_patterns = ["_build", "_ext"]

html_theme = "furo"
html_title = f"spacy-datnet {release}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0072b2", "color-brand-content": "#0072b2"},
    "dark_css_variables": {"color-brand-primary": "#56b4e9", "color-brand-content": "#56b4e9"},
    "source_repository": "https://github.com/spacy-datnet/spacy-datnet/",
    "source_branch": "main",
    "source_directory": "docs/",
    "top_of_page_buttons": [],
}
