# METADATA
# title: What the default verdict recognises
# description: >-
#   True only for an input whose every part has the form that the gateway gives it. Which families, kinds and flags
#   there are is in data.tappass, which is made from the registry of families.
package tappass.recognise

default is_recognised := false

is_recognised if {
	is_object(data.tappass.families)
	input.stage in {"request", "response"}
	is_array(data.tappass.required[input.stage])
	is_string(input.agent.id)
	input.agent.id != ""
	is_string(input.agent.org)
	input.agent.org != ""
	is_list_of_text(input.session.taint)
	is_list_of_text(input.tools.offered)
	is_list_of_text(input.tools.hosted)
	is_list_of_text(input.tools.called)
	is_string(input.model)
	is_boolean(input.stream)
	is_object(input.flags)
	every name, value in input.flags {
		value in data.tappass.flags[name]
	}
	is_array(input.outcomes)
	every outcome in input.outcomes {
		is_outcome(outcome)
	}
}

is_list_of_text(list) if {
	is_array(list)
	every item in list {
		is_string(item)
	}
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
	is_kind(family(finding.kind), finding.kind)
	finding.severity in {"info", "low", "medium", "high", "critical"}
	is_number(finding.confidence)
	finding.confidence >= 0
	finding.confidence <= 1
	finding.author in {"system", "user", "assistant", "tool", "schema", "other"}
}

is_kind(row, _) if not row.is_closed

is_kind(row, kind) if row.kinds[kind]

# The family of a kind, by the part before the first dot: `pii` of `pii.email`. Undefined for one that nobody registered.
family(kind) := data.tappass.families[parts[0]] if {
	parts := split(kind, ".")
	count(parts) > 1
}
