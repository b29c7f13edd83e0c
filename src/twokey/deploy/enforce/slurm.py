"""Slurm: typed GRES, a QOS per phase with quotas, a QOS per phase and end use with limits, and a filter for jobs.

The QOS of a partition bounds a phase's cards. The QOS of a job says its end use: accounts may use only those of their
own end use, and one that may not run a chip has none of it. Slurm does not hold limits of a type against a job that
asks for no type, so the filter turns such jobs away.
"""

from __future__ import annotations

import json

from twokey.deploy.enforce.policy import Policy
from twokey.deploy.enforce.queues import PHASES, units


def files(policy: Policy) -> dict[str, str]:
    """Return file name -> text: gres.conf, a part of slurm.conf, the sacctmgr script, the filter of jobs."""
    return {
        "gres.conf": _gres(policy),
        "slurm.conf.part": _conf(policy),
        "qos.sh": _qos(policy),
        "job_submit.lua": _filter(policy),
    }


def qos_of(phase: str, use: str) -> str:
    """Return the name of the QOS of a phase and an end use."""
    return f"{phase}-{use}"


def _gres(policy: Policy) -> str:
    lines = ["# Typed GRES: without types, accounting cannot tell an H200 from an H20.", "AutoDetect=off"]
    for chip in policy.chips:
        kind, name = chip.gres.split(":")
        lines.append(f"# {chip.chip}: one line per node, File= as the driver names its devices")
        lines.append(f"NodeName={name}-[0-0] Name={kind} Type={name} Count=8")
    return "\n".join(lines) + "\n"


def _conf(policy: Policy) -> str:
    kinds = dict.fromkeys(chip.gres.split(":")[0] for chip in policy.chips)
    tres = ",".join(f"gres/{chip.gres}" for chip in policy.chips)
    lines = [
        f"GresTypes={','.join(kinds)}",
        f"AccountingStorageTRES={tres}",
        "AccountingStorageEnforce=associations,limits,qos,safe",
        "JobSubmitPlugins=lua",
    ]
    for phase in PHASES:
        allowed = ",".join(qos_of(phase, use) for use in policy.end_uses)
        lines.append(f"PartitionName={phase} AllowQos={allowed} QOS={phase} State=UP  # Nodes= are yours")
    return "\n".join(lines) + "\n"


def _qos(policy: Policy) -> str:
    lines = [
        "#!/bin/sh",
        "# An account is named after its end use; its QOS are the only ones that it may use.",
        "set -eu",
        'qos() { sacctmgr -n show qos "$1" format=name | grep -q . || sacctmgr -i add qos "$1"; }',
        'account() { sacctmgr -n show account "$1" format=account | grep -q . || sacctmgr -i add account "$1"; }',
    ]
    for phase in PHASES:
        limits = ",".join(
            f"gres/{chip.gres}={units(policy.quotas.get((phase, chip.slug), 0.0), chip.per_card)}"
            for chip in policy.chips
        )
        lines += [f"qos {phase}", f"sacctmgr -i modify qos {phase} set GrpTRES={limits} Flags=DenyOnLimit"]
    for use in policy.end_uses:
        for phase in PHASES:
            name = qos_of(phase, use)
            lines.append(f"qos {name}")
            none = [chip.gres for chip in policy.chips if not policy.may_run(chip.slug, use, phase)]
            if none:
                limits = ",".join(f"gres/{gres}=0" for gres in none)
                lines.append(f"sacctmgr -i modify qos {name} set MaxTRESPerJob={limits} Flags=DenyOnLimit")
        both = ",".join(qos_of(phase, use) for phase in PHASES)
        lines += [f"account {use}", f"sacctmgr -i modify account where name={use} set QOS={both}"]
    return "\n".join(lines) + "\n"


def _filter(policy: Policy) -> str:
    allowed = [
        f"  [{json.dumps(chip.gres)}] = {{"
        + ", ".join(
            f"[{json.dumps(qos_of(phase, use))}] = true"
            for use in policy.end_uses
            for phase in PHASES
            if policy.may_run(chip.slug, use, phase)
        )
        + "},"
        for chip in policy.chips
    ]
    kinds = dict.fromkeys(chip.gres.split(":")[0] for chip in policy.chips)
    return _LUA.format(allowed="\n".join(allowed), kinds=", ".join(f"{kind} = true" for kind in kinds))


_LUA = """-- A job that asks for accelerators names their type, and a QOS of its phase and end use that may run them.
local allowed = {{
{allowed}
}}
local kinds = {{{kinds}}}

local function refuse(words)
  slurm.log_user("twokey: " .. words)
  return slurm.ERROR
end

local function check(job)
  for _, field in ipairs({{"tres_per_job", "tres_per_node", "tres_per_socket", "tres_per_task", "gres"}}) do
    for item in string.gmatch(job[field] or "", "[^,]+") do
      local name = string.gsub(string.gsub(item, "^gres[/:]", ""), "=", ":")
      local kind, rest = string.match(name, "^(%a+):?(.*)$")
      if kind ~= nil and kinds[kind] then
        local type = string.match(rest, "^([%w_.-]*[%a_][%w_.-]*)")
        if type == nil then
          return refuse("name the type of " .. kind .. ", as in --gres=" .. kind .. ":TYPE:8")
        end
        local uses = allowed[kind .. ":" .. type]
        if uses == nil then
          return refuse("there is no " .. kind .. ":" .. type .. " in the plan")
        end
        if job.qos == nil or not uses[job.qos] then
          return refuse("QOS " .. tostring(job.qos) .. " may not run " .. kind .. ":" .. type)
        end
      end
    end
  end
  return slurm.SUCCESS
end

function slurm_job_submit(job, partitions, uid)
  return check(job)
end

function slurm_job_modify(change, job, partitions, uid)
  local whole = {{qos = change.qos or job.qos}}
  for _, field in ipairs({{"tres_per_job", "tres_per_node", "tres_per_socket", "tres_per_task", "gres"}}) do
    whole[field] = change[field] or job[field]
  end
  return check(whole)
end

return slurm.SUCCESS
"""
