"""StackOne Defender as its documentation starts it: phrases, and the model that the package ships; texts are results of a tool."""
from lines import serve

from stackone_defender import create_prompt_defense

defense = create_prompt_defense(block_high_risk=True, require_tier2=True, sanitize_content=False)
defense.warmup_tier2()


def judge(text):
    result = defense.defend_tool_result(text, "read")
    return {"allowed": result.allowed, "risk_level": result.risk_level, "detections": result.detections}


serve(judge)
