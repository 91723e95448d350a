{{- define "vistio.image" -}}
{{ .Values.api.image.repository }}:{{ .Values.api.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "vistio.labels" -}}
app.kubernetes.io/name: vistio
app.kubernetes.io/part-of: vistio
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* Of a container: what the restricted Pod Security Standard asks for. */}}
{{- define "vistio.restricted" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Started and alive, by the health of a port. Takes: port (its name), tls. */}}
{{- define "vistio.probes" -}}
startupProbe:
  httpGet:
    path: /-/healthy
    port: {{ .port }}
    {{- if .tls }}
    scheme: HTTPS
    {{- end }}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet:
    path: /-/healthy
    port: {{ .port }}
    {{- if .tls }}
    scheme: HTTPS
    {{- end }}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end }}

{{/* The volumes with the web configuration, and with a certificate of its own. */}}
{{- define "vistio.webConfigVolume" -}}
{{- with .Values.webConfig.secret }}
- name: web-config
  secret:
    secretName: {{ . }}
{{- end }}
{{- with .Values.webConfig.tlsSecret }}
- name: tls
  secret:
    secretName: {{ . }}
{{- end }}
{{- end }}

{{/* Where a container has them. */}}
{{- define "vistio.webConfigMounts" -}}
{{- if .Values.webConfig.secret }}
- name: web-config
  mountPath: /etc/vistio-web
  readOnly: true
{{- end }}
{{- if .Values.webConfig.tlsSecret }}
- name: tls
  mountPath: /etc/vistio-tls
  readOnly: true
{{- end }}
{{- end }}

{{/* Where pods run. */}}
{{- define "vistio.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* A container that records. Takes: root, name, writer, port, portName, prometheusUrl, preset; an empty preset: vistioConfig. */}}
{{- define "vistio.recorder" -}}
{{- $root := .root -}}
- name: {{ .name }}
  image: {{ include "vistio.image" $root }}
  imagePullPolicy: {{ $root.Values.api.image.pullPolicy }}
  command: [vistio-record, run]
  env:
    - name: VISTIO_RECORD_RUN_HOST
      value: 0.0.0.0
    - name: VISTIO_RECORD_RUN_PORT
      value: {{ .port | quote }}
    - name: VISTIO_RECORD_RUN_RECORDING
      value: /vistio/recording
    {{- $each := . }}
    # Of `check`, too, for kubectl exec.
    {{- range $command := list "RUN" "CHECK" }}
    {{- if $each.preset }}
    - name: VISTIO_RECORD_{{ $command }}_PRESET
      value: {{ $each.preset.name | quote }}
    {{- with $each.preset.set }}
    - name: VISTIO_RECORD_{{ $command }}_SET
      {{- $settings := list }}
      {{- range $key, $value := . }}
      {{- $settings = append $settings (printf "%s=%v" $key $value) }}
      {{- end }}
      value: {{ join " " $settings | quote }}
    {{- end }}
    {{- else }}
    - name: VISTIO_RECORD_{{ $command }}_CONFIG
      value: /etc/vistio/vistio.yaml
    {{- end }}
    - name: VISTIO_RECORD_{{ $command }}_PROMETHEUS
      value: {{ $each.prometheusUrl | quote }}
    {{- if $root.Values.recorder.httpConfigSecret }}
    - name: VISTIO_RECORD_{{ $command }}_HTTP_CONFIG
      value: /etc/vistio-http/http.yaml
    {{- end }}
    {{- end }}
    - name: VISTIO_RECORD_RUN_INTERVAL
      value: {{ $root.Values.api.retrieval.scrapeInterval }}
    - name: VISTIO_RECORD_RUN_TIMEOUT
      value: {{ $root.Values.api.retrieval.scrapeTimeout }}
    - name: VISTIO_RECORD_RUN_RETENTION
      value: {{ $root.Values.api.storage.retention }}
    - name: VISTIO_RECORD_RUN_RETENTION_SIZE
      value: {{ $root.Values.api.storage.retentionSize }}
    {{- if ne .writer "main" }}
    - name: VISTIO_RECORD_RUN_WRITER
      value: {{ .writer | quote }}
    {{- end }}
    {{- if ne $root.Values.api.log.level "info" }}
    - name: VISTIO_RECORD_RUN_LOG_LEVEL
      value: {{ $root.Values.api.log.level }}
    {{- end }}
    {{- if $root.Values.recorder.tokenSecret }}
    - name: VISTIO_RECORD_RUN_TOKEN_FILE
      value: /etc/vistio-token/token
    {{- end }}
    {{- if $root.Values.webConfig.secret }}
    - name: VISTIO_RECORD_RUN_WEB_CONFIG
      value: /etc/vistio-web/web.yaml
    {{- end }}
    {{- with $root.Values.recorder.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  ports:
    - name: {{ .portName }}
      containerPort: {{ .port }}
      protocol: TCP
  {{- include "vistio.probes" (dict "port" .portName "tls" $root.Values.webConfig.tls) | nindent 2 }}
  resources:
    {{- toYaml $root.Values.recorder.resources | nindent 4 }}
  securityContext:
    {{- include "vistio.restricted" $root | nindent 4 }}
  volumeMounts:
    {{- if not .preset }}
    # The directory, not the file: so a changed ConfigMap arrives, and is read within seconds.
    - name: config
      mountPath: /etc/vistio
      readOnly: true
    {{- end }}
    {{- if $root.Values.recorder.httpConfigSecret }}
    - name: http-config
      mountPath: /etc/vistio-http
      readOnly: true
    {{- end }}
    {{- if $root.Values.recorder.tokenSecret }}
    - name: token
      mountPath: /etc/vistio-token
      readOnly: true
    {{- end }}
    {{- include "vistio.webConfigMounts" $root | nindent 4 }}
    - name: vistio-db
      mountPath: /vistio
    - name: tmp-record
      mountPath: /tmp
{{- end }}
