package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// psql runs a statement from inside an instance of the fleet, which alone may reach the database. The password goes in by standard input.
func (d *deployment) psql(t *testing.T, host, statement string) (out string, status int) {
	t.Helper()
	secret, err := secretsmanager.NewFromConfig(d.aws).GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &d.out.DatabaseSecretARN})
	if err != nil {
		t.Fatalf("reading the database's secret: %v", err)
	}
	var login struct{ Username, Password string }
	if err := json.Unmarshal([]byte(*secret.SecretString), &login); err != nil {
		t.Fatal(err)
	}
	command := fmt.Sprintf(`IFS= read -r PGPASSWORD; export PGPASSWORD PGCONNECT_TIMEOUT=5 PGSSLMODE=verify-full PGSSLROOTCERT=/etc/ssl/certs/ca-certificates.crt
exec psql -h %s -p %d -U %s -d shop -v VERBOSITY=verbose -v ON_ERROR_STOP=1 -At -c "$(cat)"`, host, d.out.DatabasePort, login.Username)
	out, status, err = d.exec(t.Context(), d.awaitFleet(t)[0], login.Password+"\n"+statement, command)
	if err != nil {
		t.Fatalf("psql: %v", err)
	}
	return strings.TrimSpace(out), status
}

func readerFollows(t *testing.T, d *deployment) {
	if out, status := d.psql(t, d.out.DatabaseReader, "UPDATE product SET stock = 0"); status == 0 || !strings.Contains(out, "25006") {
		t.Errorf("a write on the reader: status %d, %s; want SQLSTATE 25006", status, out)
	}
	if out, status := d.psql(t, d.out.DatabaseReader, "SELECT pg_is_in_recovery()"); status != 0 || out != "t" {
		t.Errorf("the reader endpoint is not a replica: status %d, %s", status, out)
	}
	if out, status := d.psql(t, d.out.DatabaseWriter, "SELECT pg_is_in_recovery()"); status != 0 || out != "f" {
		t.Errorf("the writer endpoint is a replica: status %d, %s", status, out)
	}
	mark := fmt.Sprintf("mark-%d", time.Now().UnixNano())
	if out, status := d.psql(t, d.out.DatabaseWriter, "INSERT INTO product VALUES ('"+mark+"', 'Mark', '', 1, 'EUR', 1)"); status != 0 {
		t.Fatalf("writing: %s", out)
	}
	eventually(t, "wait until the reader has replayed the write", 30*time.Second, func() error {
		if out, _ := d.psql(t, d.out.DatabaseReader, "SELECT name FROM product WHERE id = '"+mark+"'"); out != "Mark" {
			return fmt.Errorf("the reader says %q", out)
		}
		return nil
	})
	// The shop reads from the reader, so it shows the product that only the writer was told of.
	eventually(t, "wait until the shop shows the write", 30*time.Second, func() error {
		_, err := servedBy(t.Context(), client(), d.url+"/products/"+mark)
		return err
	})
	if out, status := d.psql(t, d.out.DatabaseWriter, "DELETE FROM product WHERE id = '"+mark+"'"); status != 0 {
		t.Errorf("cleaning up: %s", out)
	}
}
