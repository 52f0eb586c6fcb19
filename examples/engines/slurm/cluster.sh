#!/bin/sh
# A cluster of Slurm on this machine, as root, for trying scripts: `cluster.sh start FOLDER` prints the setting under which
# sbatch and the others find it, `cluster.sh stop FOLDER` ends it. Needs Debian's slurmctld, slurmd, slurm-client and munge.
set -eu
folder=$(realpath -m "$2")

start() {
    mkdir -p "$folder/ctld" "$folder/slurmd" "$folder/munge"
    host=$(hostname -s)
    chmod 700 "$folder/munge"
    head -c 1024 /dev/urandom >"$folder/munge/key"
    chmod 400 "$folder/munge/key"
    munged --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/munge/pid" \
        --log-file="$folder/munge/log" --seed-file="$folder/munge/seed"
    cat >"$folder/slurm.conf" <<CONF
ClusterName=loopback
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
AuthInfo=socket=$folder/munge/socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$folder/ctld
SlurmdSpoolDir=$folder/slurmd
SlurmctldPidFile=$folder/ctld/pid
SlurmdPidFile=$folder/slurmd/pid
SlurmctldLogFile=$folder/ctld/log
SlurmdLogFile=$folder/slurmd/log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobRequeue=1
MinJobAge=3600
SchedulerParameters=batch_sched_delay=0,sched_interval=2
ReturnToService=2
MailProg=/bin/true
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
    echo "CgroupAutomount=no" >"$folder/cgroup.conf"
    export SLURM_CONF="$folder/slurm.conf"
    slurmctld -f "$SLURM_CONF"
    slurmd -f "$SLURM_CONF"
    for _ in $(seq 60); do
        sinfo -h -o %T 2>/dev/null | grep -q idle && break
        sleep 0.5
    done
    sinfo -h -o %T | grep -q idle
    echo "SLURM_CONF=$folder/slurm.conf"
}

stop() {
    for pid in "$folder/slurmd/pid" "$folder/ctld/pid" "$folder/munge/pid"; do
        [ -e "$pid" ] && kill "$(cat "$pid")" 2>/dev/null || true
    done
}

case $1 in
start) start ;;
stop) stop ;;
*) echo "usage: cluster.sh start|stop FOLDER" >&2 && exit 2 ;;
esac
