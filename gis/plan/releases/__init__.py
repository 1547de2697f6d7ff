"""How does a plan come into force, and how is it taken back?

``folder`` says which release of a plan is in force, ``manifest`` whether a release is still what
was published, ``packing`` copies a package, ``publishing`` checks and activates.
"""
