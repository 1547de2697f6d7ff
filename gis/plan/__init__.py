"""The planning area: a plan package opened, its layers, figures and land balance."""

from gis.plan.area import Figure, Plan, load_plan
from gis.plan.balance import LandBalance

__all__ = ["Figure", "LandBalance", "Plan", "load_plan"]
