"""the sockets of a running service: webhooks, requests of monitors and people, and commands

bars.py             a bar chart with a bar for each hour of a day, or for each day of some weeks
companies.py        the overview of many companies, each company's page, their metrics, and the health of the process
control.py          a socket beside the state: a command line sends its command to the service that holds the state
freshness_chart.py  the delay of changes for people: by the hour of the day, and by collection
history_chart.py    the last two weeks for people: each day's changes, their delay, and its failures
html.py             HTML that escapes everything put into it
metrics.py          the program and its state as Prometheus metrics
page.py             the page for people: what is fresh, what is pending, what needs a person
panels.py           the panels of the page: pending work, jobs, freshness, recent failures
payments_panel.py   payments for people: how many are in which state, since when, and what to type
quota_chart.py      the quota for people: what is left, which lane may spend it, and when it was spent
serving.py          an aiohttp application on its own socket, which no client can block for long or fill
shapes_panel.py     the panel of changes in the shape of Precoro's answers
watch.py            one socket for monitoring: health, readiness, metrics, and a page for people
webhooks.py         webhooks on a secret path: checked, read within limits, stored, then answered
"""
