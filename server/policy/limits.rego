# METADATA
# title: What the default verdict compares with
package tappass.limits

# Steps that must have reported at a stage. A step that is not listed here is judged by what it found.
required := {
	"request": {
		"validate_input",
		"rate_limit",
		"detect_pii",
		"detect_secrets",
		"detect_unicode",
		"classify_data",
		"detect_injection",
	},
	"response": {
		"detect_pii",
		"detect_secrets",
		"classify_data",
		"scan_output",
	},
}

# From which confidence (0 to 1) on a finding of a family counts.
secret_confidence := 0.5

pii_confidence := 0.5

injection_confidence := 0.8

exfiltration_confidence := 0.5

# Personal data that business calls are full of: it passes, and makes the call CONFIDENTIAL.
contact := {"pii.email", "pii.phone", "pii.ip_address"}
