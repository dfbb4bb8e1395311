"""The pages of the planning.

``mois``: the month of a child, and the page of one cell. ``semaine``: the week of all the children, its repetition
and its copy. ``recapitulatif``: what a change would do, before it is sent. ``absence``: days told absent, one child
or all, « Mon enfant est malade ».
"""
