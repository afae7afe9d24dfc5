"""`onprem-agents fit MODEL --gpu NAME`: will it start, with how much room; or the same for a file of runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from onprem_agents.cli import ranges
from onprem_agents.cli.fit_cases import answer_cases, refuse_beside_cases
from onprem_agents.cli.fit_changes import as_options, headline
from onprem_agents.cli.fit_request import request_from
from onprem_agents.cli.memory_view import account, bar
from onprem_agents.cli.options import json_option
from onprem_agents.cli.output import Output
from onprem_agents.cli.speed_view import bounds_line, speed_line
from onprem_agents.sizing import (
    DECODE_FORMULA,
    PREFILL_FORMULA,
    Fit,
    FitRequest,
    bounds_of,
    changes_that_fit,
    fit,
    memory_of,
    prediction,
    speed_of,
)

_WORDS = {
    "fits": "[green]fits[/]",
    "too_close": "[yellow]too close to call[/]",
    "does_not_fit": "[red]does not fit[/]",
}


@click.command(name="fit")
@click.argument("model", required=False)
@click.option("--gpu", help="Accelerator of the catalogue, or a text with its memory: 'RTX 4090 48GB'.")
@click.option("--count", type=ranges.GPUS, default=1, show_default=True, help="GPUs that share it.")
@click.option("--precision", help="bf16, fp8, int4, nvfp4, mxfp4, … or a checkpoint's Hugging Face id.")
@click.option(
    "--config-json", type=click.Path(path_type=Path), help="Size this config.json instead of MODEL."
)
@click.option(
    "--tensor-parallel-size",
    "-tp",
    "tensor_parallel",
    type=ranges.PARALLEL,
    help="Default: all of --count in a node.",
)
@click.option(
    "--pipeline-parallel-size",
    "-pp",
    "pipeline_parallel",
    type=ranges.PARALLEL,
    help="Default: nodes of 8 GPUs in --count.",
)
@click.option("--data-parallel-size", "-dp", "data_parallel", type=ranges.PARALLEL, default=1)
@click.option("--enable-expert-parallel", "expert_parallel", is_flag=True)
@click.option(
    "--max-model-len",
    "--context",
    "context",
    type=ranges.Tokens(),
    help="Tokens, '128K' or 131072. Default: the model's own.",
)
@click.option(
    "--max-num-seqs",
    type=ranges.SEQUENCES,
    help="Default: vLLM's for that GPU; where there are fewer blocks for states, the answer tells how many to give.",
)
@click.option("--max-num-batched-tokens", type=ranges.BATCH_TOKENS, help="Default: vLLM's for that GPU.")
@click.option(
    "--gpu-memory-utilization",
    "utilization",
    type=ranges.UTILIZATION,
    help="Default: vLLM's for that release.",
)
@click.option("--kv-cache-dtype", type=ranges.CACHE_DTYPE, default="auto", show_default=True)
@click.option(
    "--speculative-tokens", type=ranges.DRAFTED, default=0, help="Tokens that the model's MTP layers draft."
)
@click.option("--enforce-eager", is_flag=True)
@click.option("--enable-prefix-caching/--no-enable-prefix-caching", "prefix_caching", default=None)
@click.option(
    "--images/--no-images", default=False, help="Load the image encoder too (no --language-model-only)."
)
@click.option(
    "--start",
    type=click.Choice(["cold", "warm"]),
    help="Whether vLLM finds what an earlier start compiled. Default: not known, both are said.",
)
@click.option("--vllm", help="Release, e.g. 0.19.1, or 'any' of them. Default: the newest.")
@click.option(
    "--developers",
    type=ranges.DEVELOPERS,
    help="Agents at work, for the speed. Default: as many as sessions fit.",
)
@click.option("--cases", type=click.Path(path_type=Path), help="CSV file of runs: answer every row.")
@json_option
@click.pass_context
def fit_command(
    ctx: click.Context,
    /,
    model: str | None,
    cases: Path | None,
    developers: int | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Say whether vLLM starts MODEL on these GPUs: best estimate, error band, and what it would print.

    Figures are per GPU. "fits" holds at the careful end of the band, "does not fit" at the hopeful one. --cases prints
    one JSON object a row; exit code: 0 all rows were read, also those about what nobody knows, 1 some could not be.
    """
    if cases is not None:
        refuse_beside_cases(ctx)
        if not answer_cases(cases):
            ctx.exit(1)
        return
    request = request_from(model, settings)
    result = fit(request)
    changes = () if result.fits else changes_that_fit(request)
    if as_json:
        values = fit_values(request, result, developers)
        values["changes"] = [
            {"setting": headline(change.headline), "text": as_options(change)} for change in changes
        ]
        click.echo(json.dumps(values, indent=2))
        return
    console = Output()
    _print(request, result, developers, console)
    for change in changes[:3]:
        console.print(f"  it would fit with {as_options(change)}", soft_wrap=True)


def fit_values(request: FitRequest, result: Fit, developers: int | None = None) -> dict[str, Any]:
    """Return a verdict as JSON values, GiB per GPU, and the speed for that many developers (None: all sessions)."""
    values: dict[str, Any] = {
        "model": request.variant.hf_id,
        "precision": request.variant.precision,
        "gpu": request.accelerator.name,
        "gpus": request.gpus,
        "tensorParallel": request.tensor_parallel,
        "pipelineParallel": request.pipeline_parallel,
        "contextTokens": request.context_tokens,
        "maxNumSeqs": request.max_num_seqs,
        "maxNumSeqsAtMost": None if result.memory is None else result.memory.most_states,
        "maxNumBatchedTokens": request.max_num_batched_tokens,
        "gpuMemoryUtilization": request.gpu_memory_utilization,
        "kvCacheDtype": request.kv_cache_dtype,
        "verdict": result.verdict,
        "problems": list(result.problems),
        "caution": request.accelerator.build.unproven,
        "memory": memory_values(result),
    }
    if result.memory is not None:
        values["prediction"] = prediction(result.memory)
        values["start"] = request.start
        values["availableKvGibByStart"] = {
            kind: round(gib, 3) for kind, gib in _pools_by_start(request).items()
        }
        bounds = bounds_of(result.memory, result.sessions)
        values["bounds"] = {
            "decodeTokensPerSecondOne": round(bounds.decode_tokens_per_second_one, 1),
            "decodeTokensPerSecondAll": round(bounds.decode_tokens_per_second_all, 1),
            "prefillTokensPerSecond": round(bounds.prefill_tokens_per_second, 1),
            "sessions": bounds.sessions,
            "contextTokens": bounds.context_tokens,
            "formulas": {"decode": DECODE_FORMULA, "prefill": PREFILL_FORMULA},
        }
        if result.fits:
            values["speed"] = speed_of(result.memory, developers or result.sessions).to_wire()
    return values


def _pools_by_start(request: FitRequest) -> dict[str, float]:
    """Return the likely KV pool in GiB a GPU by how the server starts."""
    return {
        "cold": memory_of(replace(request, start="cold")).pool_gib,
        "warm": memory_of(replace(request, start="warm")).pool_gib,
    }


def memory_values(result: Fit) -> dict[str, Any]:
    """Return one GPU's account as the values that `memory_view` draws."""
    return {
        "gpuTotalGib": round(result.gpu_total_gib, 2),
        "terms": [
            {"name": term.name, "gib": round(term.gib, 2), "explanation": term.explanation}
            for term in result.terms
        ],
    }


def _print(request: FitRequest, result: Fit, developers: int | None, console: Console) -> None:
    gpus = f"{request.gpus} × {request.accelerator.name}"
    if request.pipeline_parallel > 1:
        gpus += f" ({request.pipeline_parallel} stages of tensor parallel {request.tensor_parallel})"
    console.print(
        f"[bold]{request.variant.hf_id}[/] ({request.variant.precision}) on {gpus}, "
        f"{request.context_tokens:,} tokens: {_WORDS[result.verdict]}",
        soft_wrap=True,
    )
    if request.accelerator.build.unproven:
        console.print(f"  {request.accelerator.build.unproven}", soft_wrap=True)
    memory = result.memory
    if memory is not None:
        values = prediction(memory)
        console.print(
            f"  KV pool {values['available_kv_gib']:.2f} GiB a GPU ({values['available_kv_gib_low']:.2f} to "
            f"{values['available_kv_gib_high']:.2f}), {values['kv_gib_per_request']:.2f} a request: "
            f"{values['kv_cache_tokens']:,} tokens, {values['max_concurrency']:.2f}x, largest context "
            f"{values['est_max_len']:,}",
            soft_wrap=True,
        )
        pools = _pools_by_start(request)
        if request.start is None and pools["cold"] != pools["warm"]:
            console.print(
                f"  KV pool {pools['cold']:.2f} GiB after a cold start, {pools['warm']:.2f} after one that finds what "
                "was compiled; --start tells which",
                soft_wrap=True,
            )
        if result.fits:
            speed = speed_of(memory, developers or result.sessions).to_wire()
            console.print(f"  {speed_line(speed)}", soft_wrap=True)
        console.print(f"  {bounds_line(bounds_of(memory, result.sessions))}", soft_wrap=True)
        console.print(
            f"    decode = {DECODE_FORMULA}; prefill = {PREFILL_FORMULA}", soft_wrap=True, style="dim"
        )
        console.print(bar(memory_values(result), console.width), soft_wrap=True)
        console.print(account(request.variant.hf_id, memory_values(result)))
        if memory.most_states and not request.max_num_seqs_told:
            console.print(
                f"  start it with --max-num-seqs {memory.most_states} or less: vLLM's own {request.max_num_seqs} is "
                "more than the KV cache has blocks for, and each running sequence needs one for its state",
                soft_wrap=True,
            )
    for problem in result.problems:
        console.print(f"  {problem}", soft_wrap=True, markup=False)
