/** Names of the APIs themselves. Every other key may be a client's text. */

/** Keys of bodies that are long enough to be told from a client's text. */
export const API_KEYS: ReadonlySet<string> = new Set(
  `arguments assistant audio_tokens cache_control cached_tokens completion_tokens completion_tokens_details content content_filter
  created custom_tool_call_output data delta description detail developer dimensions document embedding embeddings encoding_format
  file_data filename finish_reason frequency_penalty function function_call function_call_output functions image_url index
  input_audio input_schema input_tokens instructions json_schema logit_bias logprobs max_completion_tokens max_tokens media_type
  message messages metadata modalities object output_tokens parallel_tool_calls parameters partial_json presence_penalty
  prompt_tokens prompt_tokens_details properties reasoning_content reasoning_effort reasoning_tokens rejected_prediction_tokens
  accepted_prediction_tokens required response_format schema service_tier signature stop_reason stop_sequence stop_sequences
  stream_options strict suffix system system_fingerprint temperature text_delta thinking tool_call_id tool_calls tool_choice
  tool_result tool_use tool_use_id top_logprobs total_tokens additionalProperties cache_creation_input_tokens
  cache_read_input_tokens prompt_cache_key safety_identifier include_usage`.split(/\s+/),
)

/** All of them: a pointer made of these shows where something is and nothing of its text. */
export const API_NAMES: ReadonlySet<string> = new Set([
  ...API_KEYS,
  ...'choices id input model name prompt refusal role text tools type url user'.split(' '),
])
