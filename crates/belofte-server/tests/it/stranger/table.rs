// SPDX-License-Identifier: EUPL-1.2
//! Every operation, everybody who might try, and what each gets.

/// Who gets what.
///
/// | column     | who                                                                               |
/// |------------|-----------------------------------------------------------------------------------|
/// | owner      | the tenant's first admin, who is its privacy officer too; the rows are theirs     |
/// | admin      | another admin of the tenant                                                       |
/// | supervisor | a supervisor of the tenant                                                        |
/// | agent      | an agent of the tenant                                                            |
/// | officer    | an agent of the tenant with the duty of privacy officer                           |
/// | other      | the admin and privacy officer of another tenant, with the ids of the first tenant |
/// | read       | a program with a key of scope read                                                |
/// | write      | a program with a key of scope write                                               |
/// | operator   | somebody of the operator, without a user's cookie                                 |
/// | nobody     | no cookie; and a session that was ended, one that ran out, one of a blocked user, |
/// |            | a revoked key, and a wrong key beside the owner's good cookie                     |
/// | leaf       | what one who may leaves in the ledger, beside views: exactly one of each kind named |
/// | view       | which views one who may leaves there: what shows content, and nothing else        |
pub const TABLE: &str = "
                                        owner admin supervisor agent officer other read write operator nobody  leaf             view

POST   /session                         201   201   201        201   201     201   201  201   201      201 sign_in          -
POST   /session/code                    201   201   201        201   201     201   201  201   201      201 sign_in          -
POST   /session/second-factor           200   200   200        200   200     200   200  200   200      200 -                -
POST   /session/second-factor/confirm   201   201   201        201   201     201   201  201   201      201 membership,sign_in -
GET    /session                         200   200   200        200   200     200   403  403   401      401 -                -
DELETE /session                         204   204   204        204   204     204   403  403   401      401 sign_in          -
GET    /sessions                        200   200   200        200   200     200   403  403   401      401 -                -
DELETE /sessions/{id}                   204   404   404        404   404     404   403  403   401      401 sign_in          -
PATCH  /me                              200   200   200        200   200     200   403  403   401      401 membership       -
POST   /me/password                     204   204   204        204   204     204   403  403   401      401 membership       -
GET    /me/second-factor                200   200   200        200   200     200   403  403   401      401 -                -
POST   /me/second-factor                200   200   200        200   200     200   403  403   401      401 -                -
POST   /me/second-factor/confirm        200   200   200        200   200     200   403  403   401      401 membership       -
POST   /me/second-factor/recovery-codes 200   200   200        200   200     200   403  403   401      401 membership       -
POST   /me/second-factor/remove         204   204   204        204   204     204   403  403   401      401 membership       -
POST   /me/second-factor/reset-seen     204   204   204        204   204     204   403  403   401      401 -                -
GET    /me/notifications                200   200   200        200   200     200   403  403   401      401 -                -
PATCH  /me/notifications                200   200   200        200   200     200   403  403   401      401 -                -
GET    /push                            200   200   200        200   200     200   403  403   401      401 -                -
PATCH  /push                            200   200   403        403   403     200   403  403   401      401 instruction      -
POST   /push/devices                    201   201   201        201   201     201   403  403   401      401 membership       -
DELETE /push/devices/{id}               204   404   404        404   404     404   403  403   401      401 membership       -
POST   /push/devices/{id}/test          200   404   404        404   404     404   403  403   401      401 -                -

GET    /users                           200   200   200        200   200     200   200  200   401      401 -                -
PATCH  /users/{id}                      200   200   403        403   403     404   403  403   401      401 instruction      -
DELETE /users/{id}/second-factor        204   204   403        403   403     404   403  403   401      401 instruction      -
GET    /second-factor-rule              200   200   403        403   403     200   403  403   401      401 -                -
PATCH  /second-factor-rule              200   200   403        403   403     200   403  403   401      401 instruction      -
GET    /invitations                     200   200   403        403   403     200   403  403   401      401 -                -
POST   /invitations                     201   201   403        403   403     201   403  403   401      401 instruction      -
DELETE /invitations/{id}                204   204   403        403   403     404   403  403   401      401 instruction      -
POST   /invitations/look                200   200   200        200   200     200   200  200   200      200 -                -
POST   /invitations/accept              201   201   201        201   201     201   201  201   201      201 membership,sign_in -
GET    /api-keys                        200   200   403        403   403     200   403  403   401      401 -                -
POST   /api-keys                        201   201   403        403   403     201   403  403   401      401 instruction      -
DELETE /api-keys/{id}                   204   204   403        403   403     404   403  403   401      401 instruction      -

GET    /conversations                   200   200   200        200   200     200   200  200   401      401 -                conversation_list
POST   /conversations                   201   201   201        201   201     404   403  201   401      401 keys             -
GET    /conversations/counts            200   200   200        200   200     200   200  200   401      401 -                -
GET    /conversations/{id}              200   200   200        200   200     404   200  200   401      401 -                conversation,conversation_list
PATCH  /conversations/{id}              200   200   200        200   200     404   403  200   401      401 -                conversation
POST   /conversations/{id}/macro        200   200   200        200   200     404   403  200   401      401 -                conversation
POST   /conversations/bulk              200   200   200        200   200     200   403  200   401      401 -                -
POST   /conversations/{id}/seen         204   204   204        204   204     404   403  204   401      401 -                -
GET    /conversations/{id}/messages     200   200   200        200   200     404   200  200   401      401 -                conversation
POST   /conversations/{id}/messages     201   201   201        201   201     404   403  201   401      401 -                conversation
GET    /conversations/{id}/activity     200   200   200        200   200     404   200  200   401      401 -                conversation
GET    /conversations/numbered          200   200   200        200   200     404   200  200   401      401 -                conversation
GET    /conversations/{id}/related      200   200   200        200   200     404   200  200   401      401 -                conversation
POST   /conversations/{id}/merge        200   200   200        200   200     404   403  200   401      401 -                conversation
POST   /conversations/{id}/unmerge      200   200   200        200   200     404   403  200   401      401 -                conversation
POST   /conversations/{id}/split        201   201   201        201   201     404   403  201   401      401 keys             conversation
POST   /conversations/{id}/unsplit      200   200   200        200   200     404   403  200   401      401 -                conversation
POST   /conversations/{id}/links        204   204   204        204   204     404   403  204   401      401 -                -
GET    /drafts                          200   200   200        200   200     200   403  200   401      401 -                conversation_list
GET    /drafts/mail                     200   200   200        200   200     200   403  200   401      401 -                -
PATCH  /drafts/mail                     200   200   200        200   200     200   403  200   401      401 -                -
GET    /conversations/{id}/drafts       200   200   200        200   200     404   403  200   401      401 -                conversation
PATCH  /conversations/{id}/drafts       200   200   200        200   200     404   403  200   401      401 -                -
GET    /conversations/{id}/mentionable  200   200   200        200   200     404   403  200   401      401 -                -
GET    /notifications                   200   200   200        200   200     200   200  200   401      401 -                conversation_list
PATCH  /notifications                   200   200   200        200   200     404   403  200   401      401 -                -
POST   /messages/{id}/retry             200   200   200        200   200     404   403  200   401      401 -                conversation
POST   /messages/{id}/undo              200   200   200        200   200     404   403  200   401      401 -                conversation
GET    /messages/{id}/source            200   200   403        403   403     404   403  403   401      401 -                message_source
GET    /messages/{id}/eml               200   200   200        200   200     404   200  200   401      401 -                message_source
POST   /messages/{id}/remote-images     200   200   200        200   200     404   403  200   401      401 -                remote_images
POST   /attachments                     201   201   201        201   201     201   403  201   401      401 -                -
GET    /attachments/{id}                200   200   200        200   200     404   200  200   401      401 -                attachment
GET    /contacts/{id}                   200   200   200        200   200     404   200  200   401      401 -                contact
PATCH  /contacts/{id}                   200   200   200        200   200     404   403  200   401      401 -                contact
POST   /contacts                        201   201   201        201   201     201   403  201   401      401 keys             contact
POST   /contacts/search                 200   200   200        200   200     200   200  200   401      401 -                contact
POST   /contacts/export                 200   200   403        403   403     200   403  403   401      401 -                contact,contact_export
GET    /contacts/{id}/conversations     200   200   200        200   200     404   200  200   401      401 -                contact
POST   /contacts/{id}/remote-images     204   204   204        403   403     404   403  403   401      401 instruction      -
POST   /search                          200   200   200        200   200     200   200  200   401      401 -                search_result
POST   /search/suggest                  200   200   200        200   200     200   200  200   401      401 -                contact
GET    /queues                          200   200   200        200   200     200   200  200   401      401 -                -
POST   /queues                          201   201   403        403   403     201   403  403   401      401 instruction      -
POST   /queues/order                    204   204   403        403   403     404   403  403   401      401 instruction      -
GET    /queues/{id}                     200   200   200        403   403     404   403  403   401      401 -                -
PATCH  /queues/{id}                     200   200   403        403   403     404   403  403   401      401 instruction      -
PATCH  /queues/{id}/hours               200   200   403        403   403     404   403  403   401      401 instruction      -
POST   /queues/{id}/archive             200   200   403        403   403     404   403  403   401      401 instruction      -
POST   /queues/{id}/restore             200   200   403        403   403     404   403  403   401      401 instruction      -
GET    /teams                           200   200   200        403   403     200   403  403   401      401 -                -
POST   /teams                           201   201   403        403   403     201   403  403   401      401 instruction      -
GET    /teams/{id}                      200   200   200        403   403     404   403  403   401      401 -                -
PATCH  /teams/{id}                      200   200   403        403   403     404   403  403   401      401 instruction      -
GET    /tags                            200   200   200        200   200     200   200  200   401      401 -                -
POST   /tags                            201   201   201        403   403     201   403  403   401      401 instruction      -
PATCH  /tags/{id}                       200   200   403        403   403     404   403  403   401      401 instruction      -
POST   /tags/{id}/merge                 204   204   403        403   403     404   403  403   401      401 instruction      -
GET    /saved-views                     200   200   200        200   200     200   200  200   401      401 -                -
POST   /saved-views                     201   201   201        201   201     201   403  403   401      401 -                -
PATCH  /saved-views/{id}                200   200   200        403   403     404   403  403   401      401 instruction      -
DELETE /saved-views/{id}                204   204   204        403   403     404   403  403   401      401 instruction      -
GET    /macros                          200   200   200        200   200     200   200  200   401      401 -                -
POST   /macros                          201   201   201        201   201     201   403  403   401      401 -                -
GET    /macros/{id}                     200   200   200        200   200     404   200  200   401      401 -                -
PATCH  /macros/{id}                     200   200   200        403   403     404   403  403   401      401 instruction      -
DELETE /macros/{id}                     204   204   204        403   403     404   403  403   401      401 instruction      -
GET    /live                            101   101   101        101   101     101   101  101   401      401 -                -

GET    /fields                          200   200   403        403   403     200   403  403   401      401 -                -
POST   /fields                          201   201   403        403   403     201   403  403   401      401 instruction      -
POST   /fields/order                    204   204   403        403   403     404   403  403   401      401 instruction      -
PATCH  /fields/{id}                     200   200   403        403   403     404   403  403   401      401 instruction      -
DELETE /fields/{id}                     204   204   403        403   403     404   403  403   401      401 instruction      -
POST   /fields/{id}/preview             200   200   403        403   403     404   403  403   401      401 -                field
GET    /fields/readable                 200   200   200        200   200     200   200  200   401      401 -                -
GET    /contacts/{id}/fields            200   200   200        200   200     404   200  200   401      401 -                contact
PATCH  /contacts/{id}/fields            200   200   200        200   200     404   403  200   401      401 -                contact
GET    /conversations/{id}/fields       200   200   200        200   200     404   200  200   401      401 -                conversation
PATCH  /conversations/{id}/fields       200   200   200        200   200     404   403  200   401      401 -                conversation

GET    /channel-accounts                200   200   200        403   403     200   403  403   401      401 -                -
POST   /channel-accounts                201   201   403        403   403     201   403  403   401      401 instruction      -
POST   /channel-accounts/test           200   200   403        403   403     404   403  403   401      401 -                -
GET    /channel-accounts/{id}           200   200   200        403   403     404   403  403   401      401 -                -
PATCH  /channel-accounts/{id}           200   200   403        403   403     404   403  403   401      401 instruction      -
DELETE /channel-accounts/{id}           204   204   403        403   403     404   403  403   401      401 instruction      -
GET    /channel-accounts/{id}/accounting 200  200   200        403   403     404   403  403   401      401 -                -
POST   /channel-accounts/{id}/authorisation 200 200 403      403   403     404   403  403   401      401 -                -
POST   /channel-accounts/{id}/authorisation/code 200 200 403 403   403     404   403  403   401      401 instruction      -
DELETE /channel-accounts/{id}/authorisation 204 204 403      403   403     404   403  403   401      401 instruction      -
GET    /signing-keys                    200   200   403        403   403     200   403  403   401      401 -                -
POST   /signing-keys                    201   201   403        403   403     201   403  403   401      401 instruction      -
POST   /signing-keys/{id}/check         200   200   403        403   403     404   403  403   401      401 -                -
DELETE /signing-keys/{id}               204   204   403        403   403     404   403  403   401      401 instruction      -
GET    /senders                         200   200   200        200   200     200   403  200   401      401 -                -
GET    /recipients                      200   200   200        403   403     200   403  403   401      401 -                -
GET    /quarantine                      200   200   200        403   403     200   403  403   401      401 -                -
GET    /quarantine/{id}/source          200   200   200        403   403     404   403  403   401      401 -                quarantine_source
POST   /quarantine/{id}/retry           202   202   202        403   403     404   403  403   401      401 -                -
GET    /dead-letters                    200   200   403        403   403     200   403  403   401      401 -                -
POST   /dead-letters/{id}/retry         202   202   403        403   403     404   403  403   401      401 -                -
GET    /ledger                          200   403   403        403   200     200   403  403   401      401 -                ledger
POST   /ledger/export                   200   403   403        403   200     200   403  403   401      401 -                ledger

POST   /operator/session                201   201   201        201   201     201   201  201   201      201 -                -
GET    /operator/session                401   401   401        401   401     401   401  401   200      401 -                -
DELETE /operator/session                401   401   401        401   401     401   401  401   204      401 -                -
GET    /operator/tenants                401   401   401        401   401     401   401  401   200      401 -                -
GET    /operator/dead-letters           401   401   401        401   401     401   401  401   200      401 -                -
GET    /operator/recipients             401   401   401        401   401     401   401  401   200      401 -                -
GET    /operator/log                    401   401   401        401   401     401   401  401   200      401 -                -
";
