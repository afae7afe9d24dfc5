"""What keeps an agent from working: one probe for each cause, each with verdict, evidence and fix.

`smoke` asks any endpoint; `endpoint` and `limits` ask the platform, `local` reads this machine's configuration,
`agent_run` lets an agent work.
"""
