"""The widgets, subclasses of `base`: `tuning_explorer`, `unit_scatter`, `recovery_checklist` and `reader_test`.

Of each, `*_page` is what the page is sent, `*_still` the picture for where it can't run, and `*_live` what is made
while a reader looks. A new one is a module here, a folder of its name in `js/src/`, and a line in `of_record` for its
records.
"""
