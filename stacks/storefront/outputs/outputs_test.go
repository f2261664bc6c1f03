package outputs_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/stacks/storefront/outputs"
)

func TestDecodeRefuses(t *testing.T) {
	for object, want := range map[string]string{
		`{`:                       "decoding",
		`{"url":"u"}`:             "region is missing",
		`{"colour":1}`:            "colour",
		`{"databasePort":"five"}`: "databasePort",
	} {
		if got, err := outputs.Decode([]byte(object)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Decode(%s) = %+v, %v; want an error that tells %q", object, got, err, want)
		}
	}
}

// A stack that forgets an output fails, rather than leave it out.
func TestExportRefusesWhatIsNotSet(t *testing.T) {
	ctx, err := pulumi.NewContext(t.Context(), pulumi.RunInfo{Project: "storefront", Stack: "test"})
	if err != nil {
		t.Fatal(err)
	}
	live := outputs.Live{URL: pulumi.String("http://lb.example")}
	if err := live.Export(ctx); err == nil || !strings.Contains(err.Error(), "Region is not set") {
		t.Errorf("got %v, want an error that names Region", err)
	}
}
