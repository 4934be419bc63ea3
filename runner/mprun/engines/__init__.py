"""Engines turn steps into children and report what happens as events; they decide nothing about order or display."""
