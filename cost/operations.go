package cost

// requestsPerOrder is how many requests to the queue an order takes: sent, received, deleted, its visibility extended, and its share of
// receipts that come back empty.
const requestsPerOrder = 10

// messaging counts requests, which are assumed.
func (e *estimator) messaging() {
	if e.has(queue) {
		e.charge("requests to queues", exactly(e.assume("orders")*requestsPerOrder), "sqs", "million requests")
	}
	if e.has(topic) {
		e.use("notifications", "notifications", "sns", "million notifications")
	}
}

// keys counts keys and secrets. The database's own secret is one.
func (e *estimator) keys() {
	e.charge("keys", exactly(float64(len(e.stack.All(key)))), "kms", "key")
	if e.has(key) {
		e.use("requests to keys", "keyRequests", "kms", "million requests")
	}
	secrets := len(e.stack.All(secret))
	for _, c := range e.stack.All(cluster) {
		if c.On("manageMasterUserPassword") {
			secrets++
		}
	}
	e.charge("secrets", exactly(float64(secrets)), "secrets manager", "secret")
	if secrets > 0 {
		e.use("secrets read", "secretCalls", "secrets manager", "million calls")
	}
}

// audit counts the data events of trails, which are assumed. The first trail's management events are free.
func (e *estimator) audit() {
	trails := e.stack.All(trail)
	for _, t := range trails {
		if t.Given("advancedEventSelectors") || t.Given("eventSelectors.0.dataResources") {
			e.use("data events", "dataEvents", "cloudtrail", "million data events")
		}
		if t.Given("insightSelectors") {
			e.lack("insights of %s", t.Name)
		}
	}
	if len(trails) > 1 {
		e.lack("management events of more than one trail")
	}
}

// logs counts what log groups take in and keep, which is assumed.
func (e *estimator) logs() {
	if e.has(logGroup) {
		e.use("logs taken in", "logsGB", "logs", "taken in")
		e.use("logs kept", "logsKeptGB", "logs", "kept")
	}
}

// freeDashboards come with every account ("CloudWatch pricing").
const freeDashboards = 3

// alarms counts the metrics of alarms, the metrics that filters of logs make, and dashboards.
func (e *estimator) alarms() {
	for _, r := range e.stack.All(metricAlarm) {
		metrics := 0
		for i := range r.List("metricQueries") {
			if r.Given("metricQueries." + itoa(i) + ".metric") {
				metrics++
			}
		}
		e.charge("alarms, by metric", exactly(float64(max(1, metrics))), "cloudwatch", "alarm metric")
	}
	e.charge("metrics from logs", exactly(float64(len(e.stack.All(metricFilter)))), "cloudwatch", "metric")
	e.charge("dashboards beyond three", exactly(float64(max(0, len(e.stack.All(dashboard))-freeDashboards))), "cloudwatch", "dashboard")
}
