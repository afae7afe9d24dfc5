"""The load of coding agents on an endpoint, and what it answers: sessions that think, call tools and grow.

profile      what sessions are like, as published statistics (`profiles/`)
shape        one session drawn from a profile: its rounds, their lengths and pauses
words        text of so many tokens, as the server at hand counts them
call         one streamed round: its times, tokens and failure
session      one session played: its conversation grows, is compacted, and begins anew
load         N sessions at once, for a time or until they are stopped
figures      what the rounds say: percentiles, rates, the prefix cache, errors
bounds       the figures beside what contract and plan promise
chart, page  the report as one HTML file
"""
