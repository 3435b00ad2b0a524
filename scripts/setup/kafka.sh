# shellcheck shell=bash
# A real Apache Kafka for the tests and for `./run kafka`: Java 17 or newer, and the jars from Maven Central as
# scripts/kafka/pom.xml names them. The program itself needs none of it.

readonly kafka_version=4.1.1
kafka_absent_because=""

java_is_new_enough() {
  local java=java major
  [[ -n ${JAVA_HOME:-} && -x $JAVA_HOME/bin/java ]] && java=$JAVA_HOME/bin/java
  major=$("$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1) || return 1
  [[ -n $major ]] && ((major >= 17))
}

fetch_kafka() { # DIRECTORY
  local parts=$1.$$
  rm -rf "$parts"
  # Moved in whole, so that an interrupted download never looks like a Kafka.
  mvn --batch-mode --quiet --strict-checksums --file "$root/scripts/kafka/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$parts" && mv "$parts" "$1"
}

# Returns 1 and says why in `kafka_absent_because` where Kafka cannot be had.
setup_kafka() {
  local home=${LEDGERLENS_KAFKA_HOME:-$cache/kafka-$kafka_version} missing=() pieces=()
  if ! java_is_new_enough; then
    missing+=(default-jre-headless)
    pieces+=("Java 17 or newer")
  fi
  if [[ ! -d $home ]] && ! command -v mvn >/dev/null; then
    missing+=(maven)
    pieces+=(Maven)
  fi
  if ((${#missing[@]} > 0)) && ! try_packages "for a real Kafka" "1 min" "${missing[@]}"; then
    kafka_absent_because="missing: $(printf '%s; ' "${pieces[@]}")get it with: $(install_command "${missing[@]}")"
    return 1
  fi
  if [[ ! -d $home ]] && ! step "fetching Apache Kafka $kafka_version, 43 MB" "15 s" fetch_kafka "$home"; then
    kafka_absent_because="Apache Kafka $kafka_version could not be fetched"
    return 1
  fi
  export LEDGERLENS_KAFKA_HOME=$home
}

# `./run kafka start|stop`: one node for trials, in the cache directory while it runs.
kafka_trial() { # start|stop
  local node=$cache/kafka-node
  case "${1:-}" in
    start)
      setup_kafka || stop_with 3 "$kafka_absent_because"
      if [[ -s $node/brokers ]] && kill -0 "$(<"$node/pid")" 2>/dev/null; then
        say "already running; './run kafka stop' ends it and removes its data"
        echo "brokers=$(<"$node/brokers")"
        return
      fi
      "$root/scripts/kafka/node" stop "$node"
      say "starting Apache Kafka $kafka_version on loopback (about 5 s)"
      "$root/scripts/kafka/node" start "$node"
      say "'./run kafka stop' ends it and removes its data; what it says is in $node/log"
      ;;
    stop)
      if [[ -d $node ]]; then "$root/scripts/kafka/node" stop "$node"; else say "no Kafka of ./run is running"; fi
      ;;
    *) stop_with 2 "usage: ./run kafka start|stop" ;;
  esac
}
