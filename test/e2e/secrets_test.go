package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// planted is what no file may hold.
const planted = "PLANTED-0c5e1b7a94d3"

// TestPlantedSecrets gives the lab secrets by every call that takes one, and looks for them in all that the lab wrote, its record of
// calls and its log among it.
func TestPlantedSecrets(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustRun(t, "lab", "up")
	config := labConfig(t, s)
	secrets, parameters, caches := secretsmanager.NewFromConfig(config), ssm.NewFromConfig(config), elasticache.NewFromConfig(config)
	plantInStores(t, config)
	const visible = "VISIBLE-0c5e1b7a94d3" // says that the search would find something
	for name, plant := range map[string]func() error{
		"a secret": func() error {
			_, err := secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: new("s"), SecretString: new(planted + "-1")})
			return err
		},
		"another version": func() error {
			_, err := secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: new("v"), SecretBinary: []byte(planted + "-2")})
			if err == nil {
				_, err = secrets.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: new("v"), SecretString: new(planted + "-3")})
			}
			return err
		},
		"a parameter": func() error {
			_, err := parameters.PutParameter(t.Context(), &ssm.PutParameterInput{Name: new("/p"), Type: ssmtypes.ParameterTypeSecureString, Value: new(planted + "-4")})
			return err
		},
		"a user of caches": func() error {
			_, err := caches.CreateUser(t.Context(), &elasticache.CreateUserInput{
				UserId: new("u"), UserName: new("u"), Engine: new("redis"), AccessString: new("on ~* +@all"), Passwords: []string{planted + "-password-5"},
			})
			return err
		},
		"what is no secret": func() error {
			_, err := parameters.PutParameter(t.Context(), &ssm.PutParameterInput{Name: new("/v"), Type: ssmtypes.ParameterTypeString, Value: new(visible)})
			return err
		},
	} {
		if err := plant(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if got, err := secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: new("s")}); err != nil || *got.SecretString != planted+"-1" {
		t.Fatalf("the secret cannot be read: %v", err)
	}
	lab := filepath.Join(s.dir, "lab")
	if len(holding(t, lab, visible)) == 0 {
		t.Errorf("what is no secret is in no file of %s: the search proves nothing", lab)
	}
	for _, file := range holding(t, lab, planted) {
		t.Errorf("a secret is in the open in %s", file)
	}
}

// secretsStayHidden looks for the values of the stack's secrets in its state, its outputs, the boot scripts of its servers, their
// consoles, the log groups and the lab's files.
func secretsStayHidden(t *testing.T, d *deployment) {
	values := d.secretValues(t)
	if len(values) < 3 { // the database's password, the cache's token, the key of order IDs
		t.Fatalf("the stack has %d secrets: is that all?", len(values))
	}
	var open []string
	look := func(where, text string) {
		for name, value := range values {
			if strings.Contains(text, value) {
				open = append(open, name+" in "+where)
			}
		}
	}
	for name, value := range values {
		for _, file := range holding(t, d.dir, value) {
			open = append(open, name+" in "+file)
		}
	}
	look("the outputs", d.mustRun(t, "pulumi", "stack", "output", "--json", "--show-secrets", "--stack", "lab"))
	look("the exported state", d.mustRun(t, "pulumi", "stack", "export", "--stack", "lab"))
	versions, err := ec2.NewFromConfig(d.aws).DescribeLaunchTemplateVersions(t.Context(), &ec2.DescribeLaunchTemplateVersionsInput{Versions: []string{"$Latest"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range versions.LaunchTemplateVersions {
		script, err := base64.StdEncoding.DecodeString(aws.ToString(v.LaunchTemplateData.UserData))
		if err != nil || len(script) == 0 {
			t.Errorf("user data of %s: %d bytes, %v", aws.ToString(v.LaunchTemplateName), len(script), err)
		}
		look("user data of "+aws.ToString(v.LaunchTemplateName), string(script))
	}
	for _, i := range d.status(t).Instances {
		if i.State == "running" {
			look("the console of "+i.ID, d.mustRun(t, "lab", "logs", i.ID))
		}
	}
	d.eachLog(t, look)
	for _, found := range open {
		t.Errorf("a secret is in the open: %s", found)
	}
}

// secretValues returns the fields of all secrets that are long enough to be secret, by the secret's name and field.
func (d *deployment) secretValues(t *testing.T) map[string]string {
	t.Helper()
	api := secretsmanager.NewFromConfig(d.aws)
	list, err := api.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{})
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, s := range list.SecretList {
		v, err := api.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: s.ARN})
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal([]byte(*v.SecretString), &fields); err != nil {
			t.Fatalf("secret %s is no JSON object: %v", *s.Name, err)
		}
		for field, value := range fields {
			if text, ok := value.(string); ok && (field == "password" || field == "token" || field == "key") {
				values[*s.Name+"."+field] = text
			}
		}
	}
	return values
}

// eachLog shows every event of every log group.
func (d *deployment) eachLog(t *testing.T, look func(where, text string)) {
	t.Helper()
	api := cloudwatchlogs.NewFromConfig(d.aws)
	groups, err := api.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups.LogGroups {
		pages := cloudwatchlogs.NewFilterLogEventsPaginator(api, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: g.LogGroupName})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Events {
				look("log group "+*g.LogGroupName, *e.Message)
			}
		}
	}
}

// holding returns the files below a directory that hold a text. Files come and go while a lab runs.
func holding(t *testing.T, dir, text string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil
		}
		if content, err := os.ReadFile(path); err == nil && bytes.Contains(content, []byte(text)) {
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// labConfig is the configuration of the SDK for a site's lab.
func labConfig(t *testing.T, s *site) aws.Config {
	t.Helper()
	env := map[string]string{}
	for line := range strings.Lines(s.mustRun(t, "lab", "env")) {
		if key, value, ok := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "export ")), "="); ok {
			env[key] = value
		}
	}
	return aws.Config{
		Region: env["AWS_REGION"], BaseEndpoint: new(env["AWS_ENDPOINT_URL"]),
		Credentials: credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], ""),
	}
}
