# METADATA
# title: What the default verdict recognises
# description: True only for an input whose every part has the form that the gateway gives it.
package tappass.recognise

default is_recognised := false

is_recognised if {
	input.stage in {"request", "response"}
	is_string(input.agent.id)
	input.agent.id != ""
	is_string(input.agent.org)
	input.agent.org != ""
	is_string(input.model)
	is_boolean(input.stream)
	is_object(input.flags)
	every name, value in input.flags {
		value in flags[name]
	}
	is_array(input.outcomes)
	every outcome in input.outcomes {
		is_outcome(outcome)
	}
}

flags := {
	"mode": {"enforce", "lockdown"},
	"pii": {"mask", "block"},
	"secrets": {"block"},
}

is_outcome(outcome) if {
	is_string(outcome.step)
	outcome.step != ""
	outcome.status in {"done", "failed", "skipped"}
	is_string(outcome.reason)
	is_array(outcome.findings)
	every finding in outcome.findings {
		is_finding(finding)
	}
}

is_finding(finding) if {
	family(finding.kind) in {"request", "rate", "pii", "secret", "unicode", "injection", "class", "exfiltration"}
	finding.severity in {"info", "low", "medium", "high", "critical"}
	is_number(finding.confidence)
	finding.confidence >= 0
	finding.confidence <= 1
	finding.author in {"system", "user", "assistant", "tool", "schema", "other"}
	is_label(finding)
}

# A label must be one that has a level, else a typing error would make a call public.
is_label(finding) if not family(finding.kind) == "class"

is_label(finding) if finding.kind in {"class.public", "class.internal", "class.confidential", "class.restricted"}

# The part of a kind before its first dot: `pii` of `pii.email`.
family(kind) := parts[0] if {
	parts := split(kind, ".")
	count(parts) > 1
}
