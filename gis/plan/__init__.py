"""The planning area: a plan package opened, its layers, figures and land balance."""

from gis.plan.area import Plan, load_plan
from gis.plan.balance import LandBalance
from gis.plan.stated import Figure

__all__ = ["Figure", "LandBalance", "Plan", "load_plan"]
