SET client_min_messages=warning;
INSERT INTO enrollments (tenant,id,device,state,created_at) SELECT '00000000-0000-0000-0000-000000000001', md5('e'||i)::uuid, md5('d'||i)::uuid, 2, 1 FROM generate_series(1,1000) i;
INSERT INTO certificates (fingerprint,tenant,enrollment,state,not_after,key_digest,der) SELECT sha256(('f'||i)::bytea), '00000000-0000-0000-0000-000000000001', md5('e'||i)::uuid, 1, 9, '\x00', decode(repeat('30',1000),'hex') FROM generate_series(1,1000) i;
INSERT INTO commands (tenant,device,id,enrollment,channel,state,sealed,queued_at,request_type,payload)
 SELECT '00000000-0000-0000-0000-000000000001', md5('d'||i)::uuid, md5(n||'c'||i)::uuid, md5('e'||i)::uuid, '', 0, false, 1, 'DeviceLock', decode(repeat('30',100),'hex') FROM generate_series(1,60) n, generate_series(1,1000) i;
