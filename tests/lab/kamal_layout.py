"""A server as Kamal 2 leaves it: its containers, labels, network, ports, `.kamal/`, env files and accessories.

kamal-proxy itself is in no registry that tests can reach, so a stand-in has its name, network and ports.
"""

from __future__ import annotations

from tests.contract.proxy.stand_in import IMAGE, STAND_IN
from tests.lab.pier import NAME, Pier

# The commands of `kamal setup`, one by one. $1 the application's image, $2 its version, $3 the host's name, $4 the
# password of the database, $5 ALLOWED_HOSTS, $6 the stand-in's image, $7 its program; standard input is the env file
# of the roles.
_SETUP = r"""
set -e
image=$1 version=$2 host=$3 names=$5
apps=.kamal/apps/pier/env
cd /root
mkdir -p $apps/roles $apps/accessories .kamal/proxy/apps-config pier-db/data pier-redis/data
cat >$apps/roles/web.env
for role in worker beat; do cp $apps/roles/web.env $apps/roles/$role.env; done
printf 'POSTGRES_PASSWORD=%s\n' "$4" >$apps/accessories/db.env
: >$apps/accessories/redis.env
chmod 600 $apps/*/*.env
echo "[2026-01-01T00:00:00Z] [ann@example.org] Booted app version $version" >.kamal/pier-audit.log
docker network create kamal
run() { docker run --detach --restart unless-stopped --network kamal --log-opt max-size=10m "$@"; }
run --name pier-db --env KAMAL_HOST="$host" --env POSTGRES_USER=pier --env POSTGRES_DB=pier \
  --env-file $apps/accessories/db.env --volume "$PWD/pier-db/data:/var/lib/postgresql/data" --label service=pier-db \
  postgres:16
run --name pier-redis --env KAMAL_HOST="$host" --env-file $apps/accessories/redis.env \
  --volume "$PWD/pier-redis/data:/data" --label service=pier-redis redis:7
run --name kamal-proxy --publish 80:80 --publish 443:443 --volume "$PWD/.kamal/proxy/apps-config:/apps-config" \
  "$6" python -c "$7" 80 "pier-web-$version" 8000
until docker exec pier-db pg_isready -q -h 127.0.0.1 -U pier; do sleep 0.2; done
docker run --rm --network kamal --env ALLOWED_HOSTS="$names" --env-file $apps/roles/web.env "$image" \
  python manage.py migrate --noinput
app() {
  role=$1; shift
  run --name "pier-$role-$version" --hostname "$host-0123456789ab" --env KAMAL_CONTAINER_NAME="pier-$role-$version" \
    --env KAMAL_VERSION="$version" --env KAMAL_HOST="$host" --env ALLOWED_HOSTS="$names" \
    --env REDIS_URL=redis://pier-redis:6379/0 --env-file "$apps/roles/$role.env" \
    --label service=pier --label role="$role" --label destination= "$image" "$@"
}
app web
app worker celery -A pier worker --concurrency 2 --loglevel INFO
app beat celery -A pier beat --schedule /tmp/celerybeat-schedule --loglevel INFO
docker tag "$image" "${image%:*}:latest"
"""


def lay_out(pier: Pier) -> str:
    """Put HEAD of `pier` on its server as Kamal does, and return the version once it serves."""
    pier.ok("build", "deliver")
    version = pier.git("rev-parse", "HEAD").strip()
    password = pier.environment["PIER_POSTGRES_PASSWORD"]
    env = f"SECRET_KEY={pier.environment['PIER_SECRET_KEY']}\nDATABASE_URL=postgres://pier:{password}@pier-db/pier\n"
    image = f"{pier.lab.registry.server}/pier:{version}"
    words = (image, version, pier.host.name, password, NAME, IMAGE, STAND_IN)
    done = pier.host.run("sh", "-c", _SETUP, "sh", *words, stdin=env, limit_s=120)
    assert done.status == 0, done.err
    assert pier.comes_up(), "what Kamal would have left does not serve"
    return version
