FROM node:20-alpine as build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci && npm cache clean --force
COPY . .
RUN npm run build
FROM node:20-alpine
WORKDIR /app
ENV NODE_ENV production
COPY --from=build --chown=node:node /app/dist ./dist
USER node
EXPOSE 3000
CMD [ "node","dist/server.js" ]
