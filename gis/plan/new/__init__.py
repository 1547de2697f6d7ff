"""How does a folder of layers become a plan package?

``found`` looks at the files, ``known`` holds the names that plan databases use, ``proposal`` says
what each layer seems to be, ``questions`` what a person has to decide, ``package`` writes it all.
Nothing of one country stands in the code: names and fields are data (``known.toml``).
"""
