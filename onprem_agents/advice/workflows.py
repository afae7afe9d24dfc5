"""The workflows that check and review each change of stack files, one a forge: files for a repository of stacks.

Names of variables, events and keys: GitHub's workflow syntax, GitLab's predefined CI/CD variables, and the variables of
Tekton's Pipelines as Code, as their documents have them (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from onprem_agents import __version__

Forge = Literal["github", "gitlab", "tekton"]
FORGES: tuple[Forge, ...] = get_args(Forge)

# Releases by commit, since a tag can be moved (seen in public workflows, 2025-10; a newer one is yours to choose).
_CHECKOUT = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0"
_PYTHON = "actions/setup-python@e797f83bcb11b83ae66e0230d6156d7c80228e7c # v6.0.0"
_SARIF = "github/codeql-action/upload-sarif@f443b600d91635bebf5b0d9ebc620189c0d6fba5 # v4.30.8"
# Debian with Python and git; the slim ones have no git.
_IMAGE = "docker.io/library/python:3.12-bookworm"
_INSTALL = f"pip install onprem-coding-agents=={__version__}"


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """A file below the root of the repository; `next_steps` is what a person does after it is there."""

    path: str
    text: str
    next_steps: tuple[str, ...]


def workflow(forge: Forge, stacks: str) -> Workflow:
    """Return the workflow of a forge for stack files in a folder, as seen from the repository's root ("." for it)."""
    made: Mapping[Forge, Workflow] = {
        "github": Workflow(
            path=".github/workflows/coding-platform.yaml",
            text=_github(stacks),
            next_steps=("make the check required: settings of the repository, rules, 'Check and review'",),
        ),
        "gitlab": Workflow(
            path=".gitlab/coding-platform.yml",
            text=_gitlab(stacks),
            next_steps=(
                "name it in .gitlab-ci.yml: include: [{local: .gitlab/coding-platform.yml}]",
                "for the comment give the job a project access token (Reporter, scope api) as GITLAB_TOKEN, masked",
                "let a merge request wait for its pipeline: settings, merge requests, 'Pipelines must succeed'",
            ),
        ),
        "tekton": Workflow(
            path=".tekton/coding-platform.yaml",
            text=_tekton(stacks),
            next_steps=("it is for Pipelines as Code with GitHub; for GitLab change the step 'comment'",),
        ),
    }
    return made[forge]


def _github(stacks: str) -> str:
    return f"""# Checks each change of stack files and tells in a comment what it does, without cluster, GPU or account.
name: Coding platform
on:
  pull_request:
    paths: ["{_below(stacks)}", ".github/workflows/coding-platform.yaml"]
permissions: {{}}
jobs:
  check:
    name: Check and review
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: read
      pull-requests: write # the comment
      security-events: write # findings beside the lines
    steps:
      - uses: {_CHECKOUT}
        with: {{fetch-depth: 0, persist-credentials: false}}
      - uses: {_PYTHON}
        with: {{python-version: "3.12"}}
      - name: Install
        run: {_INSTALL}
      - name: Review
        env:
          BASE: ${{{{ github.event.pull_request.base.sha }}}}
        run: |
          onprem-agents review "$BASE..HEAD" --stacks {stacks} > review.md
          cat review.md >> "$GITHUB_STEP_SUMMARY"
      - name: Comment # a fork's token may not write
        if: github.event.pull_request.head.repo.full_name == github.repository
        env:
          GITHUB_TOKEN: ${{{{ github.token }}}}
          PULL_REQUEST: ${{{{ github.event.pull_request.number }}}}
        run: onprem-agents ci comment github review.md
      - name: Check
        run: onprem-agents check --stacks {stacks} --output sarif=check.sarif
      - name: Findings beside the lines
        if: ${{{{ !cancelled() && hashFiles('check.sarif') != '' }}}}
        continue-on-error: true # where code scanning is not switched on
        uses: {_SARIF}
        with: {{sarif_file: check.sarif, category: coding-platform}}
"""


def _gitlab(stacks: str) -> str:
    return f"""# Checks each change of stack files and tells in a note what it does, without cluster, GPU or account.
coding-platform:
  image: {_IMAGE}
  stage: test
  timeout: 10 minutes
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
      changes: ["{_below(stacks)}/*", .gitlab/coding-platform.yml]
  variables:
    GIT_DEPTH: "0"
  script:
    - {_INSTALL}
    - onprem-agents review "$CI_MERGE_REQUEST_DIFF_BASE_SHA..HEAD" --stacks {stacks} > review.md
    - onprem-agents ci comment gitlab review.md
    - onprem-agents check --stacks {stacks} --output junit=check.xml
  artifacts:
    when: always
    paths: [review.md]
    reports:
      junit: check.xml
"""


def _tekton(stacks: str) -> str:
    return f"""# Checks each change of stack files and tells in a comment what it does, without cluster, GPU or account.
apiVersion: tekton.dev/v1
kind: PipelineRun
metadata:
  name: coding-platform
  annotations:
    pipelinesascode.tekton.dev/on-event: "[pull_request]"
    pipelinesascode.tekton.dev/on-target-branch: "[main]"
    pipelinesascode.tekton.dev/on-path-change: "[{_below(stacks)}, .tekton/coding-platform.yaml]"
    pipelinesascode.tekton.dev/max-keep-runs: "5"
spec:
  timeouts:
    pipeline: 10m
  workspaces:
    - name: credentials
      secret:
        secretName: "{{{{ git_auth_secret }}}}"
  pipelineSpec:
    workspaces:
      - name: credentials
    tasks:
      - name: check
        workspaces:
          - name: credentials
        taskSpec:
          workspaces:
            - name: credentials
          volumes:
            - name: work
              emptyDir: {{}}
          stepTemplate:
            image: {_IMAGE}
            workingDir: /work/source
            env:
              - name: HOME
                value: /work
              - name: PATH
                value: /work/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
            volumeMounts:
              - name: work
                mountPath: /work
          steps:
            - name: clone
              env:
                - name: URL
                  value: "{{{{ repo_url }}}}"
                - name: REVISION
                  value: "{{{{ revision }}}}"
                - name: CREDENTIALS
                  value: $(workspaces.credentials.path)
              script: |
                cp "$CREDENTIALS/.git-credentials" "$CREDENTIALS/.gitconfig" /work/
                git clone --quiet "$URL" .
                git checkout --quiet "$REVISION"
            - name: review
              env:
                - name: BASE
                  value: "{{{{ target_branch }}}}"
              script: |
                {_INSTALL} --user
                onprem-agents review "origin/$BASE..HEAD" --stacks {stacks} | tee /work/review.md
            - name: comment
              env:
                - name: GITHUB_REPOSITORY
                  value: "{{{{ repo_owner }}}}/{{{{ repo_name }}}}"
                - name: PULL_REQUEST
                  value: "{{{{ pull_request_number }}}}"
                - name: GITHUB_TOKEN
                  valueFrom:
                    secretKeyRef:
                      name: "{{{{ git_auth_secret }}}}"
                      key: git-provider-token
              script: onprem-agents ci comment github /work/review.md
            - name: check
              script: onprem-agents check --stacks {stacks}
"""


def _below(stacks: str) -> str:
    """Return the pattern of every file below a folder."""
    return "**" if stacks == "." else f"{stacks}/**"
