# METADATA
# title: The default verdict
# description: >-
#   Decides about one stage of one call, from a header and outcomes alone: it never sees text. It denies what it does
#   not recognise. The same text runs as WebAssembly in the gateway and in an OPA server. What is recognised stands in
#   recognise.rego; what a family of findings means (thresholds, required steps, flags) is in data.tappass, which is made
#   from server/rules/families.yaml and from the families that steps bring.
package tappass.verdict

import data.tappass.recognise

# METADATA
# description: The answer. An input that the rules below say nothing about keeps this one.
# entrypoint: true
default decision := {
	"action": "block",
	"classification": "RESTRICTED",
	"kinds": [],
	"reasons": [{"step": "policy", "kind": "policy.unrecognised"}],
	"taint": [],
}

decision := {
	"action": "block",
	"classification": classification,
	"kinds": [],
	"reasons": [reason | some reason in reasons],
	"taint": [name | some name in taint_found],
} if {
	recognise.is_recognised
	count(reasons) > 0
}

decision := {
	"action": "redact",
	"classification": classification,
	"kinds": [kind | some kind in redacted],
	"reasons": [],
	"taint": [name | some name in taint_found],
} if {
	recognise.is_recognised
	count(reasons) == 0
	count(redacted) > 0
}

decision := {
	"action": "allow",
	"classification": classification,
	"kinds": [],
	"reasons": [],
	"taint": [name | some name in taint_found],
} if {
	recognise.is_recognised
	count(reasons) == 0
	count(redacted) == 0
}

# Every finding with the step that made it.
findings contains {"step": outcome.step, "finding": finding} if {
	some outcome in input.outcomes
	some finding in outcome.findings
}

# A step that could not look, or did not: nobody knows what is in the call.
reasons contains {"step": outcome.step, "kind": "step.failed"} if {
	some outcome in input.outcomes
	outcome.status != "done"
	not is_spared(outcome)
}

# A step that was not asked, for the call is refused whatever it might have found.
is_spared(outcome) if {
	outcome.status == "skipped"
	outcome.reason == "refused_before"
	is_refused_by_gate
}

is_refused_by_gate if {
	some seen in findings
	recognise.family(seen.finding.kind).is_gate
}

is_refused_by_gate if {
	some outcome in input.outcomes
	outcome.status == "failed"
}

reasons contains {"step": step, "kind": "step.missing"} if {
	some step in data.tappass.required[input.stage]
	not step in {outcome.step | some outcome in input.outcomes}
}

reasons contains {"step": seen.step, "kind": seen.finding.kind} if {
	some seen in findings
	is_to_be("refuse", seen.finding)
}

redacted contains seen.finding.kind if {
	some seen in findings
	is_to_be("redact", seen.finding)
}

# How a finding is treated: as its kind is, or else as its family.
treatment(finding) := object.get(family.kinds, finding.kind, family.treatment) if {
	family := recognise.family(finding.kind)
}

is_to_be(action, finding) if {
	row := treatment(finding)
	row.action == action
	finding.confidence >= row.confidence_min
	finding.severity in row.severities
}

# What the caller asked to be held more tightly (X-TapPass-Flags). No flag loosens.
is_to_be(action, finding) if {
	some name, value in input.flags
	effect := recognise.family(finding.kind).flags[name][value]
	effect.action == action
	finding.confidence >= effect.confidence_min
}

# Families whose findings in this call taint the session. Rules of your own may add some.
taint_found contains name if {
	some seen in findings
	row := recognise.family(seen.finding.kind).taint
	seen.finding.author in row.authors
	seen.finding.confidence >= row.confidence_min
	name := split(seen.finding.kind, ".")[0]
}

# Everything that taints the session: what earlier calls found in it, and this one. Empty when it is not tainted.
taint contains name if some name in taint_found

taint contains name if some name in input.session.taint

# In a tainted session a tool may be called by what an attacker wrote. Those that a model server runs itself can only be
# refused with the request that offers them.
reasons contains {"step": "policy", "kind": "policy.tainted_tool"} if {
	count(taint) > 0
	some name in {name | some list in [input.tools.called, input.tools.hosted]; some name in list}
	is_refused_when_tainted(name)
}

is_refused_when_tainted(_) if input.flags.tainted_tools == "block"

is_refused_when_tainted(name) if {
	some pattern in data.tappass.tainted_tools
	glob.match(pattern, null, name)
}

# What nobody could look at is treated as the most sensitive.
classification := data.tappass.levels[count(data.tappass.levels) - 1] if is_blind

else := data.tappass.levels[max(levels_seen)]

levels_seen contains 0

levels_seen contains level_of(seen.finding) if some seen in findings

# A tainted session is at least at the level of what taints it, in calls without that, too.
levels_seen contains data.tappass.families[name].treatment.level if some name in taint

is_blind if {
	some outcome in input.outcomes
	outcome.status != "done"
}

is_blind if {
	some reason in reasons
	reason.kind == "step.missing"
}

level_of(finding) := row.level if {
	row := treatment(finding)
	finding.confidence >= row.level_confidence_min
}
