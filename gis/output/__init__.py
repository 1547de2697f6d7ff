"""Everything that shows or keeps results: records, exports, maps. It works from check documents."""
