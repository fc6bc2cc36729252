# METADATA
# title: The default verdict
# description: >-
#   Decides about one stage of one call, from a header and outcomes alone: it never sees text. It denies what it does
#   not recognise, and only what it lists as harmless passes. The same text runs as WebAssembly in the gateway and in an OPA
#   server. What is recognised stands in recognise.rego; the limits stand in limits.rego.
package tappass.verdict

import data.tappass.limits
import data.tappass.recognise

# METADATA
# description: The answer. An input that the rules below say nothing about keeps this one.
# entrypoint: true
default decision := {
	"action": "block",
	"classification": "RESTRICTED",
	"kinds": [],
	"reasons": [{"step": "policy", "kind": "policy.unrecognised"}],
}

decision := {
	"action": "block",
	"classification": classification,
	"kinds": [],
	"reasons": [reason | some reason in reasons],
} if {
	recognise.is_recognised
	count(reasons) > 0
}

decision := {
	"action": "redact",
	"classification": classification,
	"kinds": [kind | some kind in redacted],
	"reasons": [],
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
	recognise.family(seen.finding.kind) in {"request", "rate"}
}

is_refused_by_gate if {
	some outcome in input.outcomes
	outcome.status == "failed"
}

reasons contains {"step": step, "kind": "step.missing"} if {
	some step in limits.required[input.stage]
	not step in {outcome.step | some outcome in input.outcomes}
}

reasons contains {"step": seen.step, "kind": seen.finding.kind} if {
	some seen in findings
	is_refused(seen.finding)
}

is_refused(finding) if recognise.family(finding.kind) in {"request", "rate"}

is_refused(finding) if {
	recognise.family(finding.kind) == "secret"
	finding.confidence >= limits.secret_confidence
}

is_refused(finding) if {
	recognise.family(finding.kind) == "injection"
	finding.confidence >= limits.injection_confidence
}

is_refused(finding) if {
	recognise.family(finding.kind) == "exfiltration"
	finding.confidence >= limits.exfiltration_confidence
}

is_refused(finding) if {
	recognise.family(finding.kind) == "unicode"
	finding.severity in {"high", "critical"}
}

# What the caller asked to be held more tightly (X-TapPass-Flags). No flag loosens.
is_refused(finding) if {
	input.flags.secrets == "block"
	recognise.family(finding.kind) == "secret"
}

is_refused(finding) if {
	input.flags.pii == "block"
	is_personal(finding)
}

is_refused(finding) if {
	input.flags.mode == "lockdown"
	not recognise.family(finding.kind) == "class"
}

# Contact data may pass; every other kind of personal data is taken out, those that nobody thought of too.
redacted contains seen.finding.kind if {
	some seen in findings
	is_personal(seen.finding)
	not seen.finding.kind in limits.contact
}

redacted contains seen.finding.kind if {
	input.flags.pii == "mask"
	some seen in findings
	is_personal(seen.finding)
}

is_personal(finding) if {
	recognise.family(finding.kind) == "pii"
	finding.confidence >= limits.pii_confidence
}

levels := ["PUBLIC", "INTERNAL", "CONFIDENTIAL", "RESTRICTED"]

# What nobody could look at is treated as the most sensitive.
classification := "RESTRICTED" if is_blind

else := levels[max({level | some seen in findings; level := level_of(seen.finding)} | {0})]

is_blind if {
	some outcome in input.outcomes
	outcome.status != "done"
}

is_blind if {
	some reason in reasons
	reason.kind == "step.missing"
}

level_of(finding) := {"class.internal": 1, "class.confidential": 2, "class.restricted": 3}[finding.kind]

level_of(finding) := 2 if {
	is_personal(finding)
	finding.kind in limits.contact
}

level_of(finding) := 3 if {
	is_personal(finding)
	not finding.kind in limits.contact
}

level_of(finding) := 3 if recognise.family(finding.kind) == "secret"
