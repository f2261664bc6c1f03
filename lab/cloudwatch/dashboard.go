package cloudwatch

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	api "storefront/lab/api/cloudwatch"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// dashboard is kept as it was put; nobody draws it.
type dashboard struct {
	Name, Body string
	Modified   time.Time
}

const maxWidgets = 500

var dashboardName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)

// dashboardARN has no region: dashboards are global.
func (s *Service) dashboardARN(name string) string {
	return s.Region.GlobalARN("cloudwatch", "dashboard/"+name)
}

// PutDashboard implements the operation of that name. The structure of the body is checked as the page "Dashboard body structure and syntax" says,
// not what single properties of widgets mean.
func (s *Service) PutDashboard(_ context.Context, in *api.PutDashboardInput) (*api.PutDashboardOutput, error) {
	if !dashboardName.MatchString(*in.DashboardName) {
		return nil, fault("InvalidParameterInput", "The value %s for field DashboardName contains invalid characters. It can only contain alphanumerics, dash (-) and underscore (_).", *in.DashboardName)
	}
	if problems := checkDashboard(*in.DashboardBody); len(problems) > 0 {
		return nil, fault("InvalidParameterInput", "The dashboard body is invalid, there are %d validation errors: %s", len(problems), strings.Join(problems, "; "))
	}
	return state.Change(s.Store, func(tx *state.Tx, out *api.PutDashboardOutput) error {
		out.DashboardValidationMessages = []api.DashboardValidationMessage{}
		return dashboards.Put(tx, *in.DashboardName, dashboard{Name: *in.DashboardName, Body: *in.DashboardBody, Modified: s.now()})
	})
}

// checkDashboard returns what is wrong with a body, each with the path to it.
func checkDashboard(body string) (problems []string) {
	var d struct {
		Widgets *[]struct {
			Type       string
			X, Y       *int
			Width      *int
			Height     *int
			Properties map[string]any
		}
	}
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		return []string{"/: the body must be valid JSON of a dashboard: " + err.Error()}
	}
	if d.Widgets == nil {
		return []string{"/: the field widgets is required"}
	}
	if len(*d.Widgets) > maxWidgets {
		return []string{fmt.Sprintf("/widgets: a dashboard can have at most %d widgets", maxWidgets)}
	}
	kinds := map[string]bool{"metric": true, "text": true, "log": true, "alarm": true, "explorer": true, "custom": true}
	for i, w := range *d.Widgets {
		at := fmt.Sprintf("/widgets/%d", i)
		if !kinds[w.Type] {
			problems = append(problems, fmt.Sprintf("%s/type: %q is not a type of widget", at, w.Type))
		}
		if w.Properties == nil {
			problems = append(problems, at+": the field properties is required")
		}
		if n := wire.Or(w.Width, 6); n < 1 || n > 24 {
			problems = append(problems, at+"/width: it must be between 1 and 24")
		}
		if n := wire.Or(w.Height, 6); n < 1 || n > 1000 {
			problems = append(problems, at+"/height: it must be between 1 and 1000")
		}
		if wire.Value(w.X) < 0 || wire.Value(w.X) > 23 || wire.Value(w.Y) < 0 {
			problems = append(problems, at+": x must be between 0 and 23, and y at least 0")
		}
	}
	return problems
}

func missingDashboard(name string) error {
	return wire.Errorf(404, "ResourceNotFound", "Dashboard %s does not exist", name)
}

// GetDashboard implements the operation of that name.
func (s *Service) GetDashboard(_ context.Context, in *api.GetDashboardInput) (*api.GetDashboardOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetDashboardOutput) error {
		d, ok, err := dashboards.Get(tx, *in.DashboardName)
		if err == nil && !ok {
			err = missingDashboard(*in.DashboardName)
		}
		out.DashboardName, out.DashboardBody, out.DashboardArn = in.DashboardName, new(d.Body), new(s.dashboardARN(*in.DashboardName))
		return err
	})
}

// ListDashboards implements the operation of that name.
func (s *Service) ListDashboards(_ context.Context, in *api.ListDashboardsInput) (*api.ListDashboardsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListDashboardsOutput) (err error) {
		found := []api.DashboardEntry{}
		for _, d := range dashboards.WithPrefix(tx, wire.Value(in.DashboardNamePrefix)) {
			found = append(found, api.DashboardEntry{DashboardName: new(d.Name), DashboardArn: new(s.dashboardARN(d.Name)), LastModified: new(d.Modified), Size: new(int64(len(d.Body)))})
		}
		out.DashboardEntries, out.NextToken, err = page(found, in.NextToken, 1000)
		return err
	})
}

// DeleteDashboards implements the operation of that name: all of the dashboards, or none.
func (s *Service) DeleteDashboards(_ context.Context, in *api.DeleteDashboardsInput) (*api.DeleteDashboardsOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteDashboardsOutput) error {
		for _, name := range in.DashboardNames {
			if _, ok, err := dashboards.Get(tx, name); err != nil {
				return err
			} else if !ok {
				return missingDashboard(name)
			}
			if err := dashboards.Delete(tx, name); err != nil {
				return err
			}
		}
		return nil
	})
}
