"""In which coordinates are the numbers, and do they lie in the plan?"""
