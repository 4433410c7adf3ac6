{{- define "lib.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-{{ .Chart.Name }}
spec:
  selector:
    matchLabels: {app: {{ .Chart.Name }}}
  template:
    metadata:
      labels: {app: {{ .Chart.Name }}}
    spec:
      containers:
        {{- include "lib.container" . | nindent 8 }}
{{- end }}

{{- define "lib.container" -}}
- name: {{ .Chart.Name }}
  image: {{ .Values.image }}
  ports:
    - containerPort: 8080
{{- end }}
