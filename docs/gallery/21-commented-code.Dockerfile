FROM node:20
#RUN npm install
#  RUN npm test
#Install the tools that we need.
RUN npm ci
##### Runtime #####
CMD ["npm","start"]
