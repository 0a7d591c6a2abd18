/** Two hours of metrics, a value a minute. */
const MINUTES = 120
const AT = `${MINUTES}m`

const always = (value: number): string => `${value}x${MINUTES}`
const growing = (perMinute: number): string => `0+${perMinute}x${MINUTES}`

const series = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([name, of]) => ({ series: name, values: of }))

const well = {
  'up{job="commandbus", instance="a"}': always(1),
  'up{job="commandbus-workers", instance="b"}': always(1),
  commandbus_database_up: always(1),
  'commandbus_unhandled_commands{domain="payments"}': always(0),
  'commandbus_queue_visible{queue="payments__commands"}': always(3),
  'commandbus_queue_visible{queue="shop__replies"}': always(5_000),
  'commandbus_parked_commands{domain="payments"}': always(0),
  'commandbus_commands_total{domain="payments", type="Charge", outcome="completed"}': growing(100),
  'commandbus_commands_total{domain="payments", type="Charge", outcome="failed"}': growing(2),
  'commandbus_commands_total{domain="payments", type="Charge", outcome="lost"}': growing(0),
  'commandbus_handler_duration_seconds_count{domain="payments", type="Charge", outcome="completed"}': growing(100),
  'commandbus_handler_duration_seconds_count{domain="payments", type="Charge", outcome="failed"}': growing(2),
  'commandbus_worker_slots{domain="payments"}': always(10),
  'commandbus_worker_slots_busy{domain="payments"}': always(7),
  commandbus_late_replies: always(0),
  commandbus_undelivered_replies: always(0),
  'commandbus_queue_strangers{queue="payments__commands"}': always(0),
  commandbus_oldest_transaction_seconds: always(2),
  commandbus_feed_lag_seconds: always(0),
  'commandbus_pool_connections{pool="bus", state="waiting"}': always(0),
  'commandbus_replica_used{instance="a"}': always(1),
  commandbus_proof_findings: always(0),
  commandbus_proof_seal_lag_seconds: always(10),
  'commandbus_log_following{instance="a"}': always(1),
  'commandbus_log_following{instance="b"}': always(0),
  commandbus_log_lag_seconds: always(1),
  commandbus_log_refused_commands: always(0),
}

const wrong = {
  'up{job="commandbus", instance="a"}': always(0),
  commandbus_database_up: always(0),
  'commandbus_unhandled_commands{domain="payments"}': always(7),
  'commandbus_queue_visible{queue="payments__commands"}': always(500),
  'commandbus_parked_commands{domain="payments"}': growing(5),
  'commandbus_commands_total{domain="payments", type="Charge", outcome="parked"}': growing(20),
  'commandbus_commands_total{domain="payments", type="Charge", outcome="lost"}': growing(1),
  'commandbus_handler_duration_seconds_count{domain="payments", type="Charge", outcome="completed"}': growing(50),
  'commandbus_worker_slots{domain="payments"}': always(10),
  'commandbus_worker_slots_busy{domain="payments"}': always(10),
  commandbus_late_replies: always(1),
  commandbus_undelivered_replies: always(1),
  'commandbus_queue_strangers{queue="payments__commands"}': always(1),
  commandbus_oldest_transaction_seconds: always(900),
  'commandbus_pool_connections{pool="bus", state="waiting"}': always(4),
  'commandbus_replica_used{instance="a"}': always(0),
  commandbus_proof_findings: always(1),
  commandbus_proof_seal_lag_seconds: always(1_200),
  'commandbus_log_following{instance="a"}': always(0),
  'commandbus_log_faulted{stream="command-x", revision="3"}': always(1),
  commandbus_log_lag_seconds: always(300),
  commandbus_log_refused_commands: always(1),
}

const MISSING = 'CommandbusMetricsMissing'

/** A file of tests for promtool: nothing fires when all is well, each alert does when all is wrong. */
export const alertTests = (rules: string, alerts: readonly string[]) => {
  const firing = (inputs: Readonly<Record<string, string>>, names: readonly string[]) => ({
    interval: '1m',
    input_series: series(inputs),
    promql_expr_test: [
      {
        expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
        eval_time: AT,
        exp_samples: names.map(name => ({ labels: `{alertname="${name}"}`, value: 1 })),
      },
    ],
  })
  return {
    rule_files: [rules],
    evaluation_interval: '1m',
    tests: [
      firing(well, []),
      firing(
        wrong,
        alerts.filter(name => name !== MISSING),
      ),
      firing({ unrelated: always(1) }, [MISSING]),
    ],
  }
}
