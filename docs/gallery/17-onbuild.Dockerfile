FROM node:20
ONBUILD   copy package.json /app/
onbuild run npm install&&npm cache clean --force
ONBUILD COPY . /app
