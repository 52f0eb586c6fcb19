#!/usr/bin/env nextflow
// One image by tasks, and a folder of files.
//
//     nextflow run main.nf --image brain.ome.tif --target s3://out/brain.ome.zarr --tasks 400
//     nextflow run main.nf --folder in --targets s3://out
//
// Stores are named by values, not by files that Nextflow would copy: tasks write to one place together.
nextflow.enable.dsl = 2

params.image = null
params.target = null
params.tasks = 4
params.folder = null
params.targets = null

process FAIRZARR_PLAN {
    errorStrategy 'retry'
    maxRetries 3

    input:
    tuple val(source), val(target)

    output:
    tuple val(source), val(target)

    script:
    """
    fairzarr plan '${source}' '${target}' --overwrite
    """
}

process FAIRZARR_RUN {
    tag "${task_number}/${tasks}"
    cpus 1
    // A request that makes no sense (2) and a source that cannot be read (3) will not get better.
    errorStrategy { task.exitStatus in [2, 3, 8, 9, 12, 13] ? 'finish' : 'retry' }
    maxRetries 5

    input:
    tuple val(source), val(target), val(task_number), val(tasks)

    output:
    tuple val(source), val(target)

    script:
    """
    fairzarr run '${source}' '${target}' --task ${task_number}/${tasks} --jobs ${task.cpus}
    """
}

process FAIRZARR_COMMIT {
    errorStrategy 'retry'
    maxRetries 3

    input:
    tuple val(source), val(target)

    output:
    val(target)

    script:
    """
    fairzarr commit '${source}' '${target}'
    fairzarr verify '${source}' '${target}'
    """
}

process FAIRZARR_CONVERT {
    tag "${source}"
    cpus 1
    errorStrategy { task.exitStatus in [2, 3, 8, 9, 12, 13] ? 'ignore' : 'retry' }
    maxRetries 3

    input:
    tuple val(source), val(target)

    output:
    val(target)

    script:
    """
    fairzarr convert '${source}' '${target}' --resume --jobs ${task.cpus}
    fairzarr verify '${source}' '${target}' --jobs ${task.cpus}
    """
}

workflow IMAGE_BY_TASKS {
    take:
    images // tuples of source and target

    main:
    planned = FAIRZARR_PLAN(images)
    numbered = planned.combine(Channel.of(1..params.tasks)).map { source, target, n -> tuple(source, target, n, params.tasks) }
    done = FAIRZARR_RUN(numbered).groupTuple(by: [0, 1], size: params.tasks as int)
    stores = FAIRZARR_COMMIT(done)

    emit:
    stores
}

workflow {
    if (params.image) {
        IMAGE_BY_TASKS(Channel.of(tuple(file(params.image).toUriString(), params.target)))
    }
    if (params.folder) {
        files = Channel.fromPath("${params.folder}/*.ome.tif").map { file ->
            tuple(file.toUriString(), "${params.targets}/${file.name.replace('.ome.tif', '.ome.zarr')}")
        }
        FAIRZARR_CONVERT(files)
    }
}
