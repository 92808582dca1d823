"""messages to people, and signs of life for who watches

messenger.py  messages through Apprise, in a process of its own that is there while one is sent
ping.py       a sign of life: an address that is asked for, so that who watches it knows that the program is there
sending.py    the process that sends one message: what and where to come in as JSON, what failed goes out as JSON
"""
