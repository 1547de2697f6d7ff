"""The planning area: a plan package opened, its layers, figures and land balance."""

from gis.plan.area import Plan, as_plan, load_plan
from gis.plan.balance import LandBalance
from gis.plan.stated import Figure

__all__ = ["Figure", "LandBalance", "Plan", "as_plan", "load_plan"]
