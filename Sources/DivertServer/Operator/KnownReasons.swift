// Every code that docs/reasons.md describes, so that a misspelt `--reason` is refused and no empty answer. A test holds the two
// against each other.

enum KnownReasons {
  /// The codes, as the page has them.
  static let codes = Set(list.split(whereSeparator: \.isWhitespace).map(String.init))

  private static let list = """
    accepted rule_ok rule_ok_duplicate rule_retry rule_throttle rule_fail rule_refresh rule_hold rule_disable
    rule_park verified not_arrived nothing_found not_now throttled server_error unavailable unexpected_status
    redirected unauthorized forbidden gone rejected retry_after_too_long result_missing batch_divided
    attempts_exhausted retry_period_over ambiguous condition_not_met unless promise_kept once capped no_step
    expired suppressed outside_hours lookup_none lookup_many lookup_unreadable
    verify_unreadable lookup_created cancelled given_up unknown url_refused header_refused method_refused
    too_many_headers address_refused resolve_failed connect_failed connect_refused connect_timeout tls_failed timeout
    connection_lost answer_cut answer_malformed stopped transport_error value_missing argument_missing filter_failed
    too_long header_invalid url_invalid host_from_event secret_missing signing_secret_invalid secret_of_another
    version_unreadable version_gone lookup_gone action_gone paused breaker_open limit_used_up budget_used_up
    quota_used_up credential_away credential_full not_enabled credential_refused refresh_token_missing token_missing
    mints_used_up base_refused private_key_invalid storage_key_missing storage_key_short storage_key_wrong
    token_not_kept not_http empty_body not_json_text wrong_key wrong_header address_not_allowed unknown_path
    unknown_source wrong_method too_slow too_large not_json compressed_body not_an_event not_an_object too_deep
    missing_field wrong_value headers_too_large cannot_store shutting_down bad_request not_found method failed no_key
    wrong_host no_order not_running no_sandbox starting unreachable no_data no_configuration exists unversioned
    changed refused tests_fail no_tokens no_code no_refresh_token sandbox busy stopping not_retired several no_request
    damaged unknown_delivery unknown_event not_dead replay_alive already_replayed already_there not_planned
    may_be_duplicate no_version origin_refused erased unfilled step_finished secret_refused disk_full
    read_only wrong_mode newer_version corrupt io other
    older_version deleted inserted chain head record_key target_down
    """
}
