"""Distillation: pipelines label raw text, and a small one learns from it."""
