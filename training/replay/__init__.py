"""Logged explanations judged a second time, by the `shap` library on the archived estimators."""
