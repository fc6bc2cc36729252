package tappass.verdict_test

import data.tappass.verdict

request_steps := [
	"validate_input",
	"rate_limit",
	"detect_pii",
	"detect_secrets",
	"detect_unicode",
	"classify_data",
	"detect_opaque",
	"detect_injection",
]

done(step, findings) := {"step": step, "status": "done", "reason": "", "findings": findings}

finding(kind, severity, confidence) := {"kind": kind, "severity": severity, "confidence": confidence, "author": "user"}

# A request in which one step found something, and the others nothing.
found(step, findings) := {
	"stage": "request",
	"agent": {"id": "bot", "org": "org"},
	"session": {"taint": []},
	"tools": {"offered": [], "hosted": [], "called": []},
	"model": "m",
	"stream": false,
	"flags": {},
	"outcomes": [done(name, those) |
		some name in request_steps
		those := {true: findings, false: []}[name == step]
	],
}

clean := found("none", [])

decide(call) := answer if answer := verdict.decision with input as call

flagged(step, findings, flags) := object.union(found(step, findings), {"flags": flags})

blocks(call, step, kind) if {
	answer := decide(call)
	answer.action == "block"
	{"step": step, "kind": kind} in answer.reasons
}

test_clean_call_passes if {
	decide(clean) == {"action": "allow", "classification": "PUBLIC", "kinds": [], "reasons": [], "taint": []}
}

test_nothing_is_refused if blocks({}, "policy", "policy.unrecognised")

test_unknown_stage_is_refused if blocks(object.union(clean, {"stage": "before"}), "policy", "policy.unrecognised")

test_agent_without_name_is_refused if {
	blocks(object.union(clean, {"agent": {"id": "", "org": "org"}}), "policy", "policy.unrecognised")
}

test_unknown_flag_is_refused if blocks(flagged("none", [], {"mode": "observe"}), "policy", "policy.unrecognised")

test_unknown_kind_is_refused if {
	blocks(found("detect_pii", [finding("novelty.thing", "low", 0.1)]), "policy", "policy.unrecognised")
}

test_kind_without_family_is_refused if {
	blocks(found("detect_pii", [finding("pii", "low", 0.1)]), "policy", "policy.unrecognised")
}

test_impossible_confidence_is_refused if {
	blocks(found("detect_pii", [finding("pii.email", "low", 1.1)]), "policy", "policy.unrecognised")
}

test_label_without_level_is_refused if {
	blocks(found("classify_data", [finding("class.secretish", "low", 1)]), "policy", "policy.unrecognised")
}

test_every_required_step_is_missed if {
	every name in request_steps {
		outcomes := [outcome | some outcome in clean.outcomes; outcome.step != name]
		blocks(object.union(clean, {"outcomes": outcomes}), name, "step.missing")
	}
}

test_response_without_scan_is_refused if {
	outcomes := [done(name, []) | some name in ["detect_pii", "detect_secrets", "classify_data"]]
	blocks(object.union(clean, {"stage": "response", "outcomes": outcomes}), "scan_output", "step.missing")
}

test_failed_and_skipped_steps_are_refused if {
	every status in ["failed", "skipped"] {
		extra := {"step": "anything", "status": status, "reason": "x", "findings": []}
		call := object.union(clean, {"outcomes": array.concat(clean.outcomes, [extra])})
		blocks(call, "anything", "step.failed")
		decide(call).classification == "RESTRICTED"
	}
}

# A request that a gate refused: what comes behind it was not asked.
refused_before(gate) := object.union(clean, {"outcomes": array.concat([gate], [outcome |
	some name in request_steps
	name != gate.step
	outcome := {"step": name, "status": "skipped", "reason": "refused_before", "findings": []}
])})

test_behind_a_gate_only_the_gate_is_a_reason if {
	every kind in ["rate.exceeded", "request.model"] {
		answer := decide(refused_before(done("rate_limit", [finding(kind, "high", 1)])))
		answer.action == "block"
		answer.classification == "RESTRICTED"
		answer.reasons == [{"step": "rate_limit", "kind": kind}]
	}
	failed := {"step": "rate_limit", "status": "failed", "reason": "StepTimeout", "findings": []}
	answer := decide(refused_before(failed))
	answer.action == "block"
	answer.reasons == [{"step": "rate_limit", "kind": "step.failed"}]
}

test_a_step_that_was_not_asked_is_a_reason_when_nothing_refused if {
	every gate in [done("rate_limit", []), done("rate_limit", [finding("secret.generic", "low", 0.1)])] {
		blocks(refused_before(gate), "detect_pii", "step.failed")
	}
}

test_secrets_from_the_limit_on if {
	blocks(found("detect_secrets", [finding("secret.private_key", "critical", 0.5)]), "detect_secrets", "secret.private_key")
	decide(found("detect_secrets", [finding("secret.generic", "low", 0.49)])).action == "allow"
}

test_injection_from_the_limit_on if {
	blocks(found("detect_injection", [finding("injection.direct", "high", 0.8)]), "detect_injection", "injection.direct")
	decide(found("detect_injection", [finding("injection.direct", "high", 0.79)])).action == "allow"
}

test_hidden_text_by_severity if {
	blocks(found("detect_unicode", [finding("unicode.tag", "high", 0.9)]), "detect_unicode", "unicode.tag")
	decide(found("detect_unicode", [finding("unicode.homoglyph", "medium", 0.9)])).action == "allow"
}

test_unreadable_text_is_noted_and_refused_by_its_flag if {
	call := found("detect_opaque", [finding("opaque.base64", "low", 0.9)])
	decide(call).action == "allow"
	blocks(object.union(call, {"flags": {"opaque": "block"}}), "detect_opaque", "opaque.base64")
}

test_rate_and_request_are_refused if {
	blocks(found("rate_limit", [finding("rate.exceeded", "medium", 1)]), "rate_limit", "rate.exceeded")
	blocks(found("validate_input", [finding("request.messages", "high", 1)]), "validate_input", "request.messages")
}

test_contact_data_passes_and_marks if {
	every kind in ["pii.email", "pii.phone", "pii.ip_address"] {
		decide(found("detect_pii", [finding(kind, "medium", 1)])) == {
			"action": "allow",
			"classification": "CONFIDENTIAL",
			"kinds": [],
			"reasons": [],
			"taint": [],
		}
	}
}

test_other_personal_data_is_taken_out if {
	every kind in ["pii.credit_card", "pii.iban", "pii.ssn", "pii.nobody_thought_of_it"] {
		decide(found("detect_pii", [finding(kind, "high", 0.5)])) == {
			"action": "redact",
			"classification": "RESTRICTED",
			"kinds": [kind],
			"reasons": [],
			"taint": [],
		}
	}
}

test_unsure_personal_data_passes if decide(found("detect_pii", [finding("pii.ssn", "low", 0.49)])).action == "allow"

test_refusal_goes_before_redaction if {
	both := [finding("pii.iban", "high", 1), finding("secret.private_key", "critical", 1)]
	decide(found("detect_secrets", both)).action == "block"
}

test_flag_pii_mask if {
	decide(flagged("detect_pii", [finding("pii.email", "medium", 1)], {"pii": "mask"})).kinds == ["pii.email"]
}

test_flag_pii_block if {
	blocks(flagged("detect_pii", [finding("pii.email", "medium", 1)], {"pii": "block"}), "detect_pii", "pii.email")
}

test_flag_secrets_block if {
	unsure := [finding("secret.generic", "low", 0.1)]
	blocks(flagged("detect_secrets", unsure, {"secrets": "block"}), "detect_secrets", "secret.generic")
}

test_lockdown_refuses_any_detection if {
	unsure := [finding("injection.jailbreak", "low", 0.1)]
	blocks(flagged("detect_injection", unsure, {"mode": "lockdown"}), "detect_injection", "injection.jailbreak")
	label := [finding("class.internal", "info", 1)]
	decide(flagged("classify_data", label, {"mode": "lockdown"})).action == "allow"
}

test_labels_by_level if {
	levels := {"class.public": "PUBLIC", "class.internal": "INTERNAL", "class.confidential": "CONFIDENTIAL", "class.restricted": "RESTRICTED"}
	every kind, level in levels {
		decide(found("classify_data", [finding(kind, "info", 1)])).classification == level
	}
	both := [finding("class.internal", "info", 1), finding("class.confidential", "info", 1)]
	decide(found("classify_data", both)).classification == "CONFIDENTIAL"
}

test_exfiltration_in_an_answer if {
	outcomes := [
		done("detect_pii", []),
		done("detect_secrets", []),
		done("classify_data", []),
		done("scan_output", [finding("exfiltration.markdown_image", "high", 0.5)]),
	]
	blocks(object.union(clean, {"stage": "response", "outcomes": outcomes}), "scan_output", "exfiltration.markdown_image")
}

# What one step found in texts of an author.
found_by(author, step, kind, confidence) := found(step, [object.union(finding(kind, "high", confidence), {"author": author})])

# An answer in which `scan_output` found something, and which calls these tools.
answered(findings, tools) := object.union(clean, {
	"stage": "response",
	"tools": {"offered": [], "hosted": [], "called": tools},
	"outcomes": [
		done("detect_pii", []),
		done("detect_secrets", []),
		done("classify_data", []),
		done("detect_opaque", []),
		done("scan_output", [object.union(one, {"author": "assistant"}) | some one in findings]),
	],
})

tainted(call) := object.union(call, {"session": {"taint": ["injection"]}})

test_what_comes_from_outside_taints if {
	decide(found_by("tool", "detect_injection", "injection.indirect", 0.5)) == {
		"action": "allow",
		"classification": "INTERNAL",
		"kinds": [],
		"reasons": [],
		"taint": ["injection"],
	}
	decide(found_by("tool", "detect_injection", "injection.indirect", 0.95)).taint == ["injection"]
	decide(found_by("tool", "detect_opaque", "opaque.base64", 0.9)).taint == ["opaque"]
	decide(answered([finding("exfiltration.markdown_image", "high", 0.95)], [])).taint == ["exfiltration"]
}

test_what_is_anybody_elses_does_not if {
	every author in ["system", "user", "assistant", "schema", "other"] {
		decide(found_by(author, "detect_injection", "injection.direct", 0.95)).taint == []
		decide(found_by(author, "detect_opaque", "opaque.base64", 0.9)).taint == []
	}
	decide(found_by("tool", "detect_injection", "injection.indirect", 0.49)).taint == []
	decide(found_by("tool", "detect_pii", "pii.email", 1)).taint == []
	decide(answered([finding("exfiltration.markdown_image", "high", 0.3)], [])).taint == []
}

test_a_tainted_session_passes_and_is_at_the_level_of_its_taint if {
	decide(tainted(clean)) == {"action": "allow", "classification": "INTERNAL", "kinds": [], "reasons": [], "taint": []}
	decide(tainted(answered([], ["send_mail"]))).action == "allow"
}

test_flag_tainted_tools if {
	every tools in [["send_mail"], ["(not a tool name)"]] {
		call := object.union(answered([], tools), {"flags": {"tainted_tools": "block"}})
		decide(call).action == "allow"
		blocks(tainted(call), "policy", "policy.tainted_tool")
	}
	decide(tainted(object.union(answered([], []), {"flags": {"tainted_tools": "block"}}))).action == "allow"
}

test_tools_that_an_operator_named if {
	listed := ["send_*", "http", "*.write"]
	every name in ["send_mail", "send_", "http", "fs.write", "a/b.write"] {
		answer := verdict.decision with input as tainted(answered([], [name])) with data.tappass.tainted_tools as listed
		answer.action == "block"
		answer.reasons == [{"step": "policy", "kind": "policy.tainted_tool"}]
	}
	every name in ["read_file", "resend_mail", "https", "http.read"] {
		answer := verdict.decision with input as tainted(answered([], [name])) with data.tappass.tainted_tools as listed
		answer.action == "allow"
	}
	untainted := verdict.decision with input as answered([], ["send_mail"]) with data.tappass.tainted_tools as listed
	untainted.action == "allow"
}

test_tools_that_the_model_server_runs_are_refused_with_their_offer if {
	call := object.union(tainted(clean), {
		"tools": {"offered": ["read_file", "web_search"], "hosted": ["web_search"], "called": []},
		"flags": {"tainted_tools": "block"},
	})
	blocks(call, "policy", "policy.tainted_tool")
	own := object.union(call, {"tools": {"offered": ["read_file"], "hosted": [], "called": []}})
	decide(own).action == "allow"
}

test_a_call_without_its_session_or_tools_is_refused if {
	every member in ["session", "tools"] {
		blocks(object.remove(clean, [member]), "policy", "policy.unrecognised")
	}
}
