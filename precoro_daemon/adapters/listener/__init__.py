"""what reaches a running service, each on a socket of its own: webhooks; requests of watchers; commands

bars.py             a bar for each hour of a day, or for each day of some weeks, drawn
companies.py        the page of many companies, each one's own, their metrics, the health of the process
control.py          a socket beside the state, on which a command line has the service that holds it execute a command
freshness_chart.py  how late changes come, as people see it: by the hour of the day, and by collection
history_chart.py    the last two weeks as people see them: what every day brought, how late it came, and what failed
html.py             HTML that escapes whatever is put into it
metrics.py          what the program and its state come to in numbers, as Prometheus reads them
page.py             the page for people: what is fresh, what waits, what needs them
panels.py           the parts of the page: what waits, what each job does, how fresh the mirror is, what failed last
payments_panel.py   payments as people see them: how many in which state, since when, and what to type
quota_chart.py      the quota as people see it: what is left, who may spend it, and when it was spent
serving.py          an aiohttp application on a socket of ours, which no client can hold up for long or fill
shapes_panel.py     the part of the page that says what of Precoro's answers changed
watch.py            one socket for those who watch: health, readiness, metrics, and a page for people
webhooks.py         webhooks on a secret path: checked, read within bounds, kept, then answered
"""
