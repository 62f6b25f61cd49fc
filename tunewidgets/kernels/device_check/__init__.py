"""Does a machine and device compute what it should?"""
