#!/bin/bash
# First boot of an instance of storefront-test-product, on Amazon Linux 2023.
set -euo pipefail
export AWS_DEFAULT_REGION=us-east-1

# The role's credentials and the way out may be seconds behind the instance.
fetch() {
  local attempt
  for attempt in {1..30}; do
    aws s3 cp --only-show-errors "$1" "$2" && return
    sleep 2
  done
  echo "cannot fetch $1" >&2
  return 1
}

id -u shop >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin shop
install -d -m 0755 /opt/shop /etc/shop

fetch s3://artifacts/ca.pem-2 /opt/shop/ca.pem
echo "2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b  /opt/shop/ca.pem" | sha256sum --check --strict
chmod 0644 /opt/shop/ca.pem

fetch s3://artifacts/shopd-1 /opt/shop/shopd
echo "1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a  /opt/shop/shopd" | sha256sum --check --strict
chmod 0755 /opt/shop/shopd

cat >/etc/shop/shop.env <<'END'
SHOP_DB_SECRET_ARN=arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!cluster-1-AbCdEf
SHOP_LISTEN=:8080
END

cat >/etc/systemd/system/shop.service <<'END'
[Unit]
Description=shop
After=network-online.target
Wants=network-online.target

[Service]
User=shop
EnvironmentFile=/etc/shop/shop.env
ExecStart=/opt/shop/shopd product
Restart=always
RestartSec=2
TimeoutStopSec=30
NoNewPrivileges=true
PrivateTmp=true
ProtectHome=true
ProtectSystem=strict

[Install]
WantedBy=multi-user.target
END

# The group takes a leaving instance out of the load balancer and lets its requests end, then waits for the drain hook: stop the
# service in peace and say so. Without an answer the hook ends by itself. A spot instance that is told its end has two minutes:
# it leaves the load balancer, which hears of it within seconds, and stops the service without waiting for the group.
cat >/usr/local/bin/shop-drain <<'END'
#!/bin/bash
metadata=http://169.254.169.254/latest
get() {
  curl --silent --fail --max-time 2 --header "X-aws-ec2-metadata-token: $token" "$metadata/meta-data/$1"
}
until [ "$state" = Terminated ]; do
  sleep 5
  token=$(curl --silent --fail --max-time 2 --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' $metadata/api/token)
  state=$(get autoscaling/target-lifecycle-state)
  instance=$(get instance-id)
  if [ -z "$noticed" ] && get spot/instance-action >/dev/null; then
    noticed=1
    aws elbv2 deregister-targets --region us-east-1 --target-group-arn arn:tg --targets "Id=$instance"
    sleep 5
    systemctl stop shop
  fi
done
systemctl stop shop
exec aws autoscaling complete-lifecycle-action --region us-east-1 --auto-scaling-group-name storefront-test-product \
  --lifecycle-hook-name storefront-test-product-drain --instance-id "$instance" --lifecycle-action-result CONTINUE
END
chmod 0755 /usr/local/bin/shop-drain

cat >/etc/systemd/system/shop-drain.service <<'END'
[Unit]
Description=Stops shop when the instance is taken away
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=/usr/local/bin/shop-drain
Restart=on-failure
RestartSec=5

[Install]
WantedBy=multi-user.target
END

systemctl daemon-reload
systemctl enable --now shop shop-drain
