"""Docker's official images: the only ones that a name without an owner can mean on Docker Hub.

From docker-library/official-images at 37079fb (2026-08-22): the files of `library/`, and those it
once had. Nobody else can publish there: any other name without an owner is a local build.
"""

from __future__ import annotations

from typing import Final

LIBRARY: Final = "docker.io/library/"
"""What stands for the missing owner in the full name of an image."""

OFFICIAL: Final = frozenset(
    """
adminer adoptopenjdk aerospike almalinux alpine alt amazoncorretto amazonlinux api-firewall
arangodb archlinux azul-zulu backdrop bash bonita buildpack-deps busybox caddy cassandra
celery centos chronograf cirros clearlinux clefos clickhouse clojure composer consul
convertigo couchbase couchdb couchdb-nouveau crate crux dart debian django docker docker-dev
drupal eclipse-mosquitto eclipse-temurin eggdrop elasticsearch elixir emqx erlang espocrm
euleros express-gateway fedora flink fluentd friendica fsharp gazebo gcc geonetwork ghost
glassfish golang gradle groovy haproxy haskell haxe hello-seattle hello-world hipache hitch
hola-mundo httpd hylang ibm-semeru-runtimes ibmjava influxdb iojs irssi java jenkins jetty
jobber joomla jruby julia kaazing-gateway kapacitor kibana known kong krakend lightstreamer
lightstreamer-server liquibase logstash mageia mariadb matomo maven mediawiki memcached mongo
mongo-express monica mono mosquitto mysql nats nats-streaming neo4j neurodebian nextcloud
nginx nim node notary notary-server notary-signer nuxeo odoo open-liberty openjdk opensuse
oraclelinux orientdb owncloud percona perl photon php php-zendserver phpmyadmin piwik plone
postfixadmin postgres pypy python r-base rabbitmq rails rakudo-star rapidoid redis redmine
registry rethinkdb rocket.chat rockylinux ros ruby rust sapmachine satosa scratch sentry
silverpeas sl solr sonarqube sourcemage spark spiped storm swarm swift swipl teamspeak
telegraf thrift tomcat tomee traefik ubuntu ubuntu-debootstrap ubuntu-upstart unit varnish
vault websphere-liberty wordpress xwiki yourls zend-php znc zookeeper
""".split()  # noqa: SIM905  one word a line would be a long file
)


_OTHERS: Final = ("mcr.microsoft.com/", "registry.k8s.io/", "quay.io/")
"""Where images come from that nobody builds in the repository that uses them."""


def others_publish(name: str) -> bool:
    """Whether a host and repository (`docker.io/library/redis`) is one that others publish."""
    if name.startswith(LIBRARY):
        return name.removeprefix(LIBRARY) in OFFICIAL
    return name.startswith(_OTHERS)
