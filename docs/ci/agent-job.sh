#!/bin/sh
# A job of your CI with a coding agent on your own platform: HOST, AGENT, ONPREM_API_KEY (a masked variable of the CI) and
# TASK come from outside, CA_FILE where the issuer is private. Everything is written into a home of the job's own.
set -eu
HOME="$(mktemp -d)"
export HOME
trap 'rm -rf "$HOME"' EXIT

onprem-agents setup "$AGENT" --host "$HOST" ${CA_FILE:+--ca-file "$CA_FILE"} --shell bash --yes < /dev/null
unset ONPREM_API_KEY # from here on agents read it from setup's file, and no command of theirs finds it in the environment
. "$HOME/.config/onprem/env.sh"
onprem-agents status
case "$AGENT" in
  claude) claude -p "$TASK" --permission-mode acceptEdits ;;
  codex) codex exec --skip-git-repo-check -s workspace-write "$TASK" ;;
  opencode) opencode run "$TASK" ;;
  *) echo "say here how $AGENT is run without a person" >&2; exit 2 ;;
esac
