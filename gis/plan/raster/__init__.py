"""Behind ``gis.plan.landcover``: rasters opened, measured, compared with layers, printed."""
