// Judges what the chart renders with others' own code, and prints what it has against each, a JSON list an object. `judge pods` reads a JSON list of pods, and is
// Kubernetes' admission at the level "restricted" of Pod Security; `judge monitoring` reads one of objects of the Prometheus operator, and is its types.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	strict "sigs.k8s.io/json"
)

func judgePods(text []json.RawMessage) ([][]string, error) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return nil, err
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	judged := make([][]string, len(text))
	for at, each := range text {
		var pod core.Pod
		if err := json.Unmarshal(each, &pod); err != nil {
			return nil, err
		}
		judged[at] = []string{}
		for _, result := range evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec) {
			if !result.Allowed {
				judged[at] = append(judged[at], result.ForbiddenReason)
			}
		}
	}
	return judged, nil
}

func judgeMonitoring(text []json.RawMessage) ([][]string, error) {
	judged := make([][]string, len(text))
	for at, each := range text {
		var head struct{ Kind string }
		if err := json.Unmarshal(each, &head); err != nil {
			return nil, err
		}
		var object any
		switch head.Kind {
		case "ServiceMonitor":
			object = &monitoring.ServiceMonitor{}
		case "PrometheusRule":
			object = &monitoring.PrometheusRule{}
		default:
			return nil, fmt.Errorf("%q is no kind that is known here", head.Kind)
		}
		// Members that the type does not have, and values that it can't hold.
		unknown, err := strict.UnmarshalStrict(each, object)
		if err != nil {
			unknown = append(unknown, err)
		}
		judged[at] = []string{}
		for _, problem := range unknown {
			judged[at] = append(judged[at], problem.Error())
		}
	}
	return judged, nil
}

func run() error {
	var text []json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&text); err != nil {
		return err
	}
	judge := judgePods
	if os.Args[1] == "monitoring" {
		judge = judgeMonitoring
	}
	judged, err := judge(text)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(judged)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
