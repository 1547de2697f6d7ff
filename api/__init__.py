"""HTTP service of wuqu: a thin floor over ``gis``."""
