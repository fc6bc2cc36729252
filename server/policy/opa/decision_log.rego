# METADATA
# title: What an OPA server writes to its log of decisions
# description: >-
#   The input of a decision holds no text of a call. What a caller can write as it likes (names of models and tools, flags) is taken out
#   all the same, and what no gateway decided on is not logged: its own probe, and its look at what OPA holds.
package system.log

mask contains "/input/model"

mask contains "/input/tools"

mask contains "/input/flags"

drop if input.path != "tappass/verdict/decision"

drop if input.input.agent.id == ""
